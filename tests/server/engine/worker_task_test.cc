#include "server/engine/worker_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "planner/plan.h"
#include "server/data/array_samples.h"

namespace mantissa::engine {
namespace {

using ::testing::ElementsAre;

planner::Plan SmallPlan() {
  planner::PlanRequest request{.model = {.name = "squeezenet", .width = 0.1}, .batch_size = 32};
  absl::StatusOr<planner::Plan> plan = planner::MakePlan(request);
  MANTISSA_CHECK_OK(plan);
  return *std::move(plan);
}

TEST(WorkerTask, PolicyNoneAloneTrainsWithoutRounding) {
  internal::v1::TrainTask task;
  task.mutable_spec()->mutable_precision()->set_policy(v1::POLICY_NAME_DEMOTION);
  EXPECT_TRUE(TrainingOptionsOf(task, SmallPlan(), 0).round);
  task.mutable_spec()->mutable_precision()->set_policy(v1::POLICY_NAME_NONE);
  EXPECT_FALSE(TrainingOptionsOf(task, SmallPlan(), 0).round);
}

TEST(WorkerTask, StorageAndWidthOfMomentsAreThePlans) {
  const TrainingOptions usual = TrainingOptionsOf({}, SmallPlan(), 0);
  EXPECT_EQ(usual.storage, Storage::kPacked);
  EXPECT_EQ(usual.optimizer_state, planner::OptimizerStateWidth::kFp32);
  planner::PlanRequest request{.model = {.name = "squeezenet", .width = 0.1},
                               .packed = false,
                               .optimizer_state = planner::OptimizerStateWidth::kInt8};
  const planner::Plan plan = planner::MakePlan(request).value();
  const TrainingOptions options = TrainingOptionsOf({}, plan, 0);
  EXPECT_EQ(options.storage, Storage::kEmulated);
  EXPECT_EQ(options.optimizer_state, planner::OptimizerStateWidth::kInt8);
}

TEST(WorkerTask, ThreadsOfTheWorkerServeWhereTheJobDoesNotSay) {
  EXPECT_EQ(TrainingOptionsOf({}, SmallPlan(), /*threads=*/2).threads, 2);
}

TEST(WorkerTask, WhatAJobSaysArrivesUnchanged) {
  internal::v1::TrainTask task;
  v1::TrainingSpec& training = *task.mutable_spec()->mutable_training();
  training.set_epochs(7);
  training.set_steps(30);
  training.set_optimizer(v1::OPTIMIZER_ADAMW);
  training.set_learning_rate(0.003);
  training.set_schedule(v1::SCHEDULE_STEP);
  training.set_schedule_epochs(6);
  training.set_step_epochs(5);
  training.set_step_gamma(0.25);
  training.set_warmup_epochs(2);
  training.set_momentum(0);
  training.set_weight_decay(0);
  training.set_label_smoothing(0.1);
  training.set_loss_scale(4);
  training.set_dynamic_loss_scale(false);
  training.set_seed(9);
  training.set_shuffle(v1::SHUFFLE_NONE);
  training.set_augment(v1::AUGMENT_CROP);
  training.set_evaluate_every(3);
  training.set_threads(5);
  task.mutable_spec()->mutable_precision()->set_rounding(v1::ROUNDING_STOCHASTIC);
  task.mutable_spec()->mutable_precision()->set_promotion_threshold(2);
  const TrainingOptions options = TrainingOptionsOf(task, SmallPlan(), 1);
  EXPECT_EQ(options.epochs, 7);
  EXPECT_EQ(options.max_steps, 30);
  EXPECT_EQ(options.optimizer, planner::OptimizerKind::kAdamW);
  EXPECT_EQ(options.learning_rate, 0.003);
  EXPECT_EQ(options.batch_size, 32);
  EXPECT_EQ(options.model.name, "squeezenet");
  EXPECT_EQ(options.schedule, ScheduleKind::kStep);
  EXPECT_EQ(options.schedule_epochs, 6);
  EXPECT_EQ(options.step_epochs, 5);
  EXPECT_EQ(options.step_gamma, 0.25);
  EXPECT_EQ(options.warmup_epochs, 2);
  EXPECT_EQ(options.momentum, 0);
  EXPECT_EQ(options.weight_decay, 0);
  EXPECT_EQ(options.label_smoothing, 0.1);
  EXPECT_EQ(options.loss_scale, 4);
  EXPECT_FALSE(options.dynamic_loss_scale);
  EXPECT_EQ(options.seed, 9u);
  EXPECT_FALSE(options.shuffle);
  EXPECT_EQ(options.augment.kind, AugmentKind::kCrop);
  EXPECT_EQ(options.evaluate_every, 3);
  EXPECT_EQ(options.threads, 5);
  EXPECT_EQ(options.rounding, RoundingMode::kStochastic);
  EXPECT_EQ(options.promotion_threshold, 2);
}

TEST(WorkerTask, DataSetsAreReadAsTheyWereInspected) {
  v1::CreateDatasetRequest request;
  request.set_name("d");
  request.set_split_seed(5);
  v1::DatasetFile& file = *request.add_files();
  file.set_size_bytes(10);
  data::LoadedDataset data{.format = "npz",
                           .inputs = {{"x", data::ElementType::kUInt8, {1, 8, 9}}},
                           .target = {"y", data::ElementType::kUInt8, {}, 2}};
  data.class_names = {"a", "b"};
  data.mean = {0.5f};
  data.stddev = {0.25f};
  data.train = data::MakeArraySamples({}, data::MakeColumn<uint8_t>("y", {}, {0, 1, 0}));
  data.test = data::MakeArraySamples({}, data::MakeColumn<uint8_t>("y", {}, {1}));
  const v1::Dataset dataset = DatasetOf(request, data);
  EXPECT_EQ(dataset.train_samples(), 3);
  EXPECT_EQ(dataset.test_samples(), 1);
  EXPECT_EQ(dataset.size_bytes(), 10);
  EXPECT_EQ(dataset.test_fraction(), 0.2);
  EXPECT_THAT(dataset.sample_shape(), ElementsAre(1, 8, 9));
  ASSERT_EQ(dataset.inputs_size(), 1);
  EXPECT_EQ(dataset.inputs(0).data_type(), v1::DATA_TYPE_FLOAT32);
  EXPECT_EQ(dataset.target().data_type(), v1::DATA_TYPE_INT64);
  EXPECT_EQ(dataset.target().classes(), 2);
  EXPECT_EQ(dataset.read().format(), "npz");
  EXPECT_THAT(dataset.class_names(), ElementsAre("a", "b"));
  const data::LoadOptions options = LoadOptionsOf(dataset);
  EXPECT_EQ(options.split_seed, 5u);
  EXPECT_EQ(options.test_fraction, 0.2);
  EXPECT_THAT(options.mean, ElementsAre(0.5f));
  EXPECT_THAT(options.stddev, ElementsAre(0.25f));
}

TEST(WorkerTask, TokensAreReadAsAskedForAndTellWhatWasFound) {
  v1::CreateDatasetRequest request;
  request.mutable_read()->set_sequence_length(16);
  request.mutable_read()->set_ignore_index(-1);
  request.mutable_read()->add_inputs("ids");
  request.mutable_read()->add_image_size(24);
  request.mutable_read()->add_image_size(32);
  const data::LoadOptions options = LoadOptionsOf(request);
  EXPECT_EQ(options.sequence_length, 16);
  EXPECT_EQ(options.ignore_index, -1);
  EXPECT_THAT(options.inputs, ElementsAre("ids"));
  EXPECT_EQ(options.image_height, 24);
  EXPECT_EQ(options.image_width, 32);
  data::LoadedDataset data{.format = "tokens",
                           .inputs = {{"tokens", data::ElementType::kInt64, {16}, 50}},
                           .target = {"next_tokens", data::ElementType::kInt64, {16}, 50}};
  data.train = data.test = data::MakeArraySamples({}, data::MakeColumn<uint8_t>("y", {}, {}));
  const v1::Dataset dataset = DatasetOf(request, data);
  EXPECT_EQ(dataset.read().format(), "tokens");
  EXPECT_EQ(dataset.read().vocabulary(), 50);
  EXPECT_EQ(dataset.read().sequence_stride(), 16);
  EXPECT_EQ(dataset.read().token_bytes(), 2);
  EXPECT_EQ(LoadOptionsOf(dataset).sequence_length, 16);
}

TEST(WorkerTask, ClassNamesThatFillAMessageAreLeftOut) {
  data::LoadedDataset data{.format = "image-folder", .inputs = {{"x"}}};
  data.train = data.test = data::MakeArraySamples({}, data::MakeColumn<uint8_t>("y", {}, {}));
  data.class_names.assign(2000, std::string(1000, 'x'));
  EXPECT_EQ(DatasetOf({}, data).class_names_size(), 0);
}

}  // namespace
}  // namespace mantissa::engine
