#include "server/jobs/job_spec.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gtest/gtest.h"

namespace mantissa::jobs {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::string FieldOf(const absl::Status& status) {
  const std::vector<FieldViolation> violations = FieldViolationsOf(status);
  return violations.empty() ? "" : violations[0].field;
}

absl::Status Check(v1::TrainingSpec training) {
  if (training.batch_size() == 0) training.set_batch_size(128);
  return CheckAndFillTraining({.train_samples = 1000}, training);
}

struct Wrong {
  std::string field;
  std::function<void(v1::TrainingSpec&)> set;
};

TEST(TrainingSpec, EveryRangeIsHeldAndTheFieldIsNamed) {
  const std::vector<Wrong> wrongs = {
      {"epochs", [](auto& t) { t.set_epochs(-1); }},
      {"epochs", [](auto& t) { t.set_epochs(100001); }},
      {"steps", [](auto& t) { t.set_steps(-1); }},
      {"steps", [](auto& t) { t.set_steps(1000000001); }},
      {"optimizer", [](auto& t) { t.set_optimizer(static_cast<v1::Optimizer>(9)); }},
      {"schedule", [](auto& t) { t.set_schedule(static_cast<v1::Schedule>(9)); }},
      {"shuffle", [](auto& t) { t.set_shuffle(static_cast<v1::Shuffle>(9)); }},
      {"augment", [](auto& t) { t.set_augment(static_cast<v1::Augment>(9)); }},
      {"optimizer_state",
       [](auto& t) { t.set_optimizer_state(static_cast<v1::OptimizerState>(9)); }},
      {"learning_rate", [](auto& t) { t.set_learning_rate(kNaN); }},
      {"learning_rate", [](auto& t) { t.set_learning_rate(kInf); }},
      {"learning_rate", [](auto& t) { t.set_learning_rate(0); }},
      {"learning_rate", [](auto& t) { t.set_learning_rate(-0.1); }},
      {"momentum", [](auto& t) { t.set_momentum(1.0); }},
      {"momentum", [](auto& t) { t.set_momentum(kNaN); }},
      {"weight_decay", [](auto& t) { t.set_weight_decay(-1e-9); }},
      {"weight_decay", [](auto& t) { t.set_weight_decay(1.5); }},
      {"schedule_epochs", [](auto& t) { t.set_schedule_epochs(-1); }},
      {"step_epochs", [](auto& t) { t.set_step_epochs(-1); }},
      {"step_gamma", [](auto& t) { t.set_step_gamma(0); }},
      {"step_gamma", [](auto& t) { t.set_step_gamma(1.1); }},
      {"warmup_epochs", [](auto& t) { t.set_epochs(3), t.set_warmup_epochs(4); }},
      {"label_smoothing", [](auto& t) { t.set_label_smoothing(1.0); }},
      {"label_smoothing", [](auto& t) { t.set_label_smoothing(kNaN); }},
      {"loss_scale", [](auto& t) { t.set_loss_scale(3); }},
      {"loss_scale", [](auto& t) { t.set_loss_scale(0.5); }},
      {"loss_scale", [](auto& t) { t.set_loss_scale(std::ldexp(1.0, 41)); }},
      {"loss_scale", [](auto& t) { t.set_loss_scale(kNaN); }},
      {"init_sha256", [](auto& t) { t.set_init_sha256("../../etc/passwd"); }},
      {"evaluate_every", [](auto& t) { t.set_evaluate_every(-1); }},
      {"threads", [](auto& t) { t.set_threads(1025); }},
      {"loss", [](auto& t) { t.set_loss(static_cast<v1::Loss>(9)); }},
      {"ignore_index", [](auto& t) { t.set_loss(v1::LOSS_MSE), t.set_ignore_index(0); }},
      {"label_smoothing", [](auto& t) { t.set_loss(v1::LOSS_NLL), t.set_label_smoothing(0.1); }},
      {"accumulate_batches", [](auto& t) { t.set_accumulate_batches(-1); }},
      {"accumulate_batches", [](auto& t) { t.set_accumulate_batches(65537); }},
      {"clip_norm", [](auto& t) { t.set_clip_norm(-1); }},
      {"clip_norm", [](auto& t) { t.set_clip_norm(kInf); }},
      {"ema_decay", [](auto& t) { t.set_ema_decay(1); }},
      {"ema_decay", [](auto& t) { t.set_ema_decay(kNaN); }},
      {"crop_padding", [](auto& t) { t.set_crop_padding(4); }},  // nothing is padded
      {"crop_padding", [](auto& t) { t.set_augment(v1::AUGMENT_CROP), t.set_crop_padding(1025); }},
      {"crop_min_area", [](auto& t) { t.set_crop_min_area(0.5); }},
      {"crop_min_area",
       [](auto& t) { t.set_augment(v1::AUGMENT_RESIZED_CROP), t.set_crop_min_area(1.5); }},
      {"mixup_alpha", [](auto& t) { t.set_mixup_alpha(101); }},
      {"loader_threads", [](auto& t) { t.set_loader_threads(257); }},
  };
  for (const Wrong& wrong : wrongs) {
    v1::TrainingSpec training;
    wrong.set(training);
    const absl::Status status = Check(training);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << wrong.field;
    EXPECT_EQ(FieldOf(status), "training." + wrong.field) << status;
  }
}

TEST(TrainingSpec, DefaultsAreThePapers) {
  v1::TrainingSpec training;
  training.set_batch_size(128);
  ASSERT_TRUE(CheckAndFillTraining({.train_samples = 1000, .default_threads = 3}, training).ok());
  EXPECT_EQ(training.epochs(), 200);
  EXPECT_EQ(training.schedule_epochs(), 200);
  EXPECT_EQ(training.optimizer(), v1::OPTIMIZER_SGD);
  EXPECT_EQ(training.optimizer_state(), v1::OPTIMIZER_STATE_FP32);
  EXPECT_EQ(training.learning_rate(), 0.1);
  EXPECT_EQ(training.momentum(), 0.9);
  EXPECT_EQ(training.weight_decay(), 0.0005);
  EXPECT_EQ(training.loss_scale(), 65536);
  EXPECT_TRUE(training.dynamic_loss_scale());
  EXPECT_EQ(training.evaluate_every(), 1);
  EXPECT_EQ(training.threads(), 3);
}

TEST(TrainingSpec, TheCosineEndsWithTheTrainingHoweverLongTheWarmUp) {
  for (const auto& [warmup, wanted] : {std::pair{0, 20}, {5, 15}, {20, 1}}) {
    v1::TrainingSpec training;
    training.set_batch_size(128);
    training.set_epochs(20);
    training.set_warmup_epochs(warmup);
    ASSERT_TRUE(CheckAndFillTraining({.train_samples = 1000}, training).ok());
    EXPECT_EQ(training.schedule_epochs(), wanted);
  }
}

TEST(TrainingSpec, WithoutRoundingTheLossScaleStaysOne) {
  v1::TrainingSpec training;
  training.set_batch_size(128);
  ASSERT_TRUE(
      CheckAndFillTraining({.policy = v1::POLICY_NAME_NONE, .train_samples = 1000}, training).ok());
  EXPECT_EQ(training.loss_scale(), 1);
  EXPECT_FALSE(training.dynamic_loss_scale());
}

TEST(TrainingSpec, StepsAloneGiveTheEpochsTheyNeed) {
  v1::TrainingSpec training;
  training.set_batch_size(100);
  training.set_steps(25);
  ASSERT_TRUE(CheckAndFillTraining({.train_samples = 1000}, training).ok());
  EXPECT_EQ(training.epochs(), 3);
}

TEST(PlanRequestOf, AsksForAllThatMemoryDependsOn) {
  v1::JobSpec spec;
  spec.mutable_model()->set_model("builtin:resnet18");
  spec.mutable_precision()->set_memory_bytes(1 << 20);
  spec.mutable_training()->set_batch_size(64);
  spec.mutable_training()->set_optimizer(v1::OPTIMIZER_ADAMW);
  spec.mutable_training()->set_optimizer_state(v1::OPTIMIZER_STATE_INT8);
  const v1::PlanRequest request = PlanRequestOf(spec);
  EXPECT_EQ(request.model().model(), "builtin:resnet18");
  EXPECT_EQ(request.precision().memory_bytes(), 1 << 20);
  EXPECT_EQ(request.batch_size(), 64);
  EXPECT_EQ(request.optimizer(), v1::OPTIMIZER_ADAMW);
  EXPECT_EQ(request.optimizer_state(), v1::OPTIMIZER_STATE_INT8);
}

class FromDatasetTest : public testing::Test {
 protected:
  FromDatasetTest() {
    dataset_.set_name("digits");
    dataset_.set_train_samples(100);
    dataset_.set_classes(10);
    for (const int64_t size : {1, 8, 8}) dataset_.add_sample_shape(size);
    spec_.mutable_training()->set_batch_size(64);
  }
  v1::Dataset dataset_;
  v1::JobSpec spec_;
};

TEST_F(FromDatasetTest, ModelTakesClassesAndShapeOfTheData) {
  ASSERT_TRUE(CheckAndFillFromDataset(dataset_, spec_).ok());
  EXPECT_EQ(spec_.model().classes(), 10);
  EXPECT_EQ(spec_.model().input_shape_size(), 3);
  EXPECT_EQ(spec_.model().input_shape(2), 8);
}

TEST_F(FromDatasetTest, BatchLargerThanTheDataIsRefused) {
  spec_.mutable_training()->set_batch_size(101);
  const absl::Status status = CheckAndFillFromDataset(dataset_, spec_);
  EXPECT_EQ(FieldOf(status), "training.batch_size");
  EXPECT_NE(status.message().find("1 to 100"), std::string::npos) << status;
}

TEST_F(FromDatasetTest, FewerClassesThanTheDataAreRefused) {
  spec_.mutable_model()->set_classes(9);
  EXPECT_EQ(FieldOf(CheckAndFillFromDataset(dataset_, spec_)), "model.classes");
}

TEST_F(FromDatasetTest, AnotherShapeThanTheDataIsRefused) {
  for (const int64_t size : {3, 8, 8}) spec_.mutable_model()->add_input_shape(size);
  EXPECT_EQ(FieldOf(CheckAndFillFromDataset(dataset_, spec_)), "model.input_shape");
}

TEST(GeneralSpec, NamesLabelsAndRetriesAreChecked) {
  v1::JobSpec good;
  good.set_dataset("digits");
  ASSERT_TRUE(CheckAndFillGeneral(good).ok());
  EXPECT_EQ(good.max_retries(), 1);
  v1::JobSpec spec = good;
  spec.set_name("bad\x1b[31mname");
  EXPECT_EQ(FieldOf(CheckAndFillGeneral(spec)), "name");
  spec = good;
  (*spec.mutable_labels())["a b"] = "c";
  EXPECT_EQ(FieldOf(CheckAndFillGeneral(spec)), "labels");
  spec = good;
  spec.set_max_retries(101);
  EXPECT_EQ(FieldOf(CheckAndFillGeneral(spec)), "max_retries");
  spec = good;
  spec.set_dataset("");
  EXPECT_EQ(FieldOf(CheckAndFillGeneral(spec)), "dataset");
}

}  // namespace
}  // namespace mantissa::jobs
