#include "server/engine/trainer.h"

#include <cmath>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/data/array_samples.h"

namespace mantissa::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kClasses = 4;

// Images of 3 x 32 x 32 whose brightness tells the class, with noise.
std::shared_ptr<const data::SampleSource> MakeSamples(int64_t count, uint64_t seed) {
  std::vector<uint8_t> pixels;
  std::vector<int64_t> labels;
  RandomStream numbers(seed, 0);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t label = i % kClasses;
    for (int pixel = 0; pixel < 3 * 32 * 32; ++pixel) {
      pixels.push_back(static_cast<uint8_t>(60 * label + numbers.Below(70)));
    }
    labels.push_back(label);
  }
  return data::MakeArraySamples({data::MakeColumn("x", {3, 32, 32}, pixels)},
                                data::MakeColumn("y", {}, labels));
}

data::LoadedDataset MakeData() {
  return {.inputs = {{"x", data::ElementType::kUInt8, {3, 32, 32}}},
          .target = {"y", data::ElementType::kInt64, {}, kClasses},
          .train = MakeSamples(40, 1),
          .test = MakeSamples(16, 2),
          .mean = {0.5f, 0.5f, 0.5f},
          .stddev = {0.25f, 0.25f, 0.25f}};
}

const planner::ModelOptions kModel = {.name = "squeezenet", .width = 0.1, .classes = kClasses};

planner::Plan MakePlan(const std::string& policy = "uniform",
                       const planner::ModelOptions& model = kModel) {
  auto plan =
      planner::MakePlan({.model = model, .precision = {.policy = policy}, .batch_size = 16});
  MANTISSA_CHECK_OK(plan);
  return *std::move(plan);
}

TrainingOptions Options(const std::string& output_dir) {
  return {.epochs = 3,
          .batch_size = 16,
          .learning_rate = 0.05,
          .seed = 7,
          .threads = 1,
          .model = kModel,
          .output_dir = output_dir,
          .checkpoint_seconds = 0};
}

// Keeps what it is told; `before_step` may cancel or fail.
class Recorder : public TrainingObserver {
 public:
  absl::Status OnStart(int64_t total_steps, int64_t first_step) override {
    total = total_steps;
    first = first_step;
    return absl::OkStatus();
  }
  absl::Status OnStep(const StepRecord& record) override {
    steps.push_back(record);
    return on_step(record);
  }
  absl::Status OnMemory(const MemoryRecord& record) override {
    memories.push_back(record);
    return absl::OkStatus();
  }
  absl::Status OnEvaluation(const EvaluationRecord& record) override {
    evaluations.push_back(record);
    return absl::OkStatus();
  }
  absl::Status OnCheckpoint(const std::string& path, int64_t step) override {
    checkpoints.push_back(step);
    checkpoint_path = path;
    return absl::OkStatus();
  }
  bool Cancelled() override { return static_cast<int64_t>(steps.size()) >= cancel_after; }

  int64_t total = 0, first = 0;
  int64_t cancel_after = 1 << 30;
  std::vector<StepRecord> steps;
  std::vector<MemoryRecord> memories;
  std::vector<EvaluationRecord> evaluations;
  std::vector<int64_t> checkpoints;
  std::string checkpoint_path;
  std::function<absl::Status(const StepRecord&)> on_step = [](const StepRecord&) {
    return absl::OkStatus();
  };
};

// The bytes of the weights that a training leaves.
std::string Trained(TrainingOptions options, const std::string& policy = "uniform") {
  TempFolder folder;
  options.output_dir = folder.path();
  planner::Plan plan = MakePlan(policy);
  Recorder recorder;
  const auto result = Train(plan, MakeData(), options, recorder);
  MANTISSA_CHECK_OK(result);
  return *RealFileSystem().Read(result->weights_path);
}

TEST(Train, ReportsEveryStepEvaluationAndTheLastSmallerBatch) {
  TempFolder folder;
  planner::Plan plan = MakePlan();
  Recorder recorder;
  const auto result = Train(plan, MakeData(), Options(folder.path()), recorder);
  MANTISSA_CHECK_OK(result);
  EXPECT_EQ(recorder.total, 9);
  EXPECT_EQ(recorder.first, 1);
  ASSERT_THAT(recorder.steps, SizeIs(9));
  EXPECT_EQ(recorder.steps[1].samples, 16);
  EXPECT_EQ(recorder.steps[2].samples, 8);
  EXPECT_EQ(recorder.steps[2].epoch, 0);
  EXPECT_EQ(recorder.steps[3].epoch, 1);
  EXPECT_NEAR(recorder.steps[3].learning_rate, 0.05 * (1 + std::cos(M_PI / 3)) / 2, 1e-12);
  ASSERT_THAT(recorder.evaluations, SizeIs(3));
  EXPECT_EQ(recorder.evaluations[2].samples, 16);
  EXPECT_EQ(result->final_evaluation.step, 9);
  EXPECT_EQ(result->steps, 9);
  EXPECT_TRUE(RealFileSystem().Exists(result->weights_path));
  // The one after the last epoch would never be read.
  EXPECT_THAT(recorder.checkpoints, ::testing::ElementsAre(3, 6));
}

TEST(Train, LearnsToTellBrightnessInLowPrecision) {
  TempFolder folder;
  planner::Plan plan = MakePlan("demotion");
  TrainingOptions options = Options(folder.path());
  options.epochs = 25;
  options.evaluate_every = 25;
  options.batch_size = 8;
  Recorder recorder;
  const auto result = Train(plan, MakeData(), options, recorder);
  MANTISSA_CHECK_OK(result);
  EXPECT_GE(result->final_evaluation.accuracy, 0.75);
  EXPECT_LT(result->final_evaluation.loss, 1);
  EXPECT_THAT(recorder.evaluations, SizeIs(1));
}

TEST(Train, SameJobTwiceGivesEqualWeightsBitForBit) {
  TrainingOptions options = Options("");
  options.epochs = 1;
  options.threads = 2;
  options.augment.kind = AugmentKind::kCropFlip;
  options.rounding = RoundingMode::kStochastic;
  const std::string weights = Trained(options);
  EXPECT_EQ(weights, Trained(options));
  options.seed = 8;
  EXPECT_NE(weights, Trained(options));
}

class ResumeTest : public ::testing::TestWithParam<
                       std::tuple<planner::OptimizerKind, planner::OptimizerStateWidth>> {};

TEST_P(ResumeTest, GoesOnFromACheckpointAsIfItHadNeverStopped) {
  TempFolder whole_folder, folder;
  TrainingOptions options = Options(whole_folder.path());
  // Bright pixels overflow, so that the input is promoted.
  data::LoadedDataset data = MakeData();
  data.stddev = {0.01f, 0.01f, 0.01f};
  std::tie(options.optimizer, options.optimizer_state) = GetParam();
  // Wide enough for parameters whose moments int8 makes narrow.
  options.model.width = 0.25;
  options.augment.kind = AugmentKind::kCropFlip;
  options.rounding = RoundingMode::kStochastic;
  // A step is skipped, so that the checkpoint is in the middle of a run of good steps.
  options.loss_scale = 0x1p18;
  planner::Plan whole_plan = MakePlan("uniform", options.model);
  Recorder whole;
  const auto expected = Train(whole_plan, data, options, whole);
  MANTISSA_CHECK_OK(expected);

  options.output_dir = folder.path();
  planner::Plan plan = MakePlan("uniform", options.model);
  Recorder broken_off;
  broken_off.cancel_after = 4;
  EXPECT_EQ(Train(plan, data, options, broken_off).status().code(), absl::StatusCode::kCancelled);
  ASSERT_THAT(broken_off.checkpoints, ::testing::ElementsAre(3));

  options.resume_path = broken_off.checkpoint_path;
  planner::Plan resumed_plan = MakePlan("uniform", options.model);
  Recorder resumed;
  const auto result = Train(resumed_plan, data, options, resumed);
  MANTISSA_CHECK_OK(result);
  EXPECT_EQ(resumed.first, 4);
  ASSERT_THAT(resumed.steps, SizeIs(6));
  EXPECT_EQ(resumed.steps[0].step, 4);
  for (size_t i = 0; i < resumed.steps.size(); ++i) {
    EXPECT_EQ(resumed.steps[i].loss_unrounded, whole.steps[i + 3].loss_unrounded);
    EXPECT_EQ(resumed.steps[i].loss_scale, whole.steps[i + 3].loss_scale);
    EXPECT_EQ(resumed.steps[i].bits, whole.steps[i + 3].bits);
  }
  EXPECT_EQ(result->skipped_steps, expected->skipped_steps);
  EXPECT_GT(result->skipped_steps, 0);
  EXPECT_EQ(result->promoted_tensors, expected->promoted_tensors);
  EXPECT_GT(result->promoted_tensors, 0);
  EXPECT_EQ(*RealFileSystem().Read(result->weights_path),
            *RealFileSystem().Read(expected->weights_path));
}

INSTANTIATE_TEST_SUITE_P(
    Optimizers, ResumeTest,
    ::testing::Combine(
        ::testing::Values(planner::OptimizerKind::kSgd, planner::OptimizerKind::kAdamW),
        ::testing::Values(planner::OptimizerStateWidth::kFp32, planner::OptimizerStateWidth::kBf16,
                          planner::OptimizerStateWidth::kInt8)));

TEST(Train, ACheckpointWithMomentsOfAnotherWidthIsRefusedWithBothWidths) {
  TempFolder folder;
  TrainingOptions options = Options(folder.path());
  options.optimizer_state = planner::OptimizerStateWidth::kBf16;
  planner::Plan plan = MakePlan();
  Recorder recorder;
  MANTISSA_CHECK_OK(Train(plan, MakeData(), options, recorder));
  options.resume_path = recorder.checkpoint_path;
  options.optimizer_state = planner::OptimizerStateWidth::kInt8;
  planner::Plan other = MakePlan();
  const absl::Status status = Train(other, MakeData(), options, recorder).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("in bf16; this training has it in int8. Resume with optimizer state bf16"));
}

TEST(Train, ACheckpointOfOtherDataOrABrokenOneIsRefused) {
  TempFolder folder;
  TrainingOptions options = Options(folder.path());
  planner::Plan plan = MakePlan();
  Recorder recorder;
  MANTISSA_CHECK_OK(Train(plan, MakeData(), options, recorder));
  options.resume_path = recorder.checkpoint_path;
  options.batch_size = 8;
  planner::Plan other = MakePlan();
  EXPECT_THAT(std::string(Train(other, MakeData(), options, recorder).status().message()),
              HasSubstr("5 steps an epoch"));
  options.resume_path = JoinPath(folder.path(), "weights.safetensors");
  EXPECT_THAT(std::string(Train(other, MakeData(), options, recorder).status().message()),
              HasSubstr("is no checkpoint"));
}

TEST(Train, MaxStepsEndsInTheMiddleOfAnEpochWithAnEvaluation) {
  TempFolder folder;
  TrainingOptions options = Options(folder.path());
  options.max_steps = 4;
  planner::Plan plan = MakePlan("none");
  options.round = false;
  Recorder recorder;
  const auto result = Train(plan, MakeData(), options, recorder);
  MANTISSA_CHECK_OK(result);
  EXPECT_EQ(recorder.total, 4);
  EXPECT_THAT(recorder.steps, SizeIs(4));
  EXPECT_EQ(result->final_evaluation.step, 4);
  EXPECT_EQ(result->final_evaluation.loss, result->final_evaluation.loss_fp32);
}

TEST(Train, ADivergedTrainingEndsWithItsCause) {
  TempFolder folder;
  TrainingOptions options = Options(folder.path());
  options.epochs = 50;
  options.learning_rate = 1e30;
  options.loss_scale = 1;
  options.dynamic_loss_scale = false;
  planner::Plan plan = MakePlan("none");
  options.round = false;
  Recorder recorder;
  const absl::Status status = Train(plan, MakeData(), options, recorder).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the training diverged"));
  EXPECT_LT(recorder.steps.size(), 60u);
}

TEST(Train, ALastLossThatIsNotFiniteIsNoSuccess) {
  TempFolder folder;
  TrainingOptions options = Options(folder.path());
  options.learning_rate = 1e30;
  options.loss_scale = 1;
  options.dynamic_loss_scale = false;
  options.round = false;
  planner::Plan plan = MakePlan("none");
  Recorder recorder;
  const absl::Status status = Train(plan, MakeData(), options, recorder).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("loss of its last step"));
}

TEST(Train, AnObserversErrorEndsTheTrainingWithIt) {
  planner::Plan plan = MakePlan();
  Recorder recorder;
  recorder.on_step = [](const StepRecord& record) {
    return record.step < 2 ? absl::OkStatus() : absl::UnavailableError("gone");
  };
  EXPECT_EQ(Train(plan, MakeData(), Options(""), recorder).status(),
            absl::UnavailableError("gone"));
  EXPECT_THAT(recorder.evaluations, IsEmpty());
}

TEST(Train, StartsFromGivenWeights) {
  TempFolder folder;
  TrainingOptions options = Options(folder.path());
  planner::Plan plan = MakePlan("none");
  options.round = false;
  options.max_steps = 1;
  Recorder recorder;
  const auto first = Train(plan, MakeData(), options, recorder);
  MANTISSA_CHECK_OK(first);
  TempFolder second_folder;
  options.output_dir = second_folder.path();
  options.init_path = first->weights_path;
  Recorder second;
  MANTISSA_CHECK_OK(Train(plan, MakeData(), options, second));
  EXPECT_NE(second.steps[0].loss, recorder.steps[0].loss);
  options.init_path = JoinPath(folder.path(), "missing.safetensors");
  EXPECT_EQ(Train(plan, MakeData(), options, second).status().code(), absl::StatusCode::kNotFound);
}

TEST(Train, LabelSmoothingIsTrainedToo) {
  planner::PlanRequest request{.model = kModel, .precision = {.policy = "uniform"}};
  request.loss.label_smoothing = 0.1;
  request.batch_size = 16;
  auto plan = planner::MakePlan(request);
  MANTISSA_CHECK_OK(plan);
  Recorder recorder;
  MANTISSA_CHECK_OK(Train(*plan, MakeData(), Options(""), recorder));
  EXPECT_TRUE(std::isfinite(recorder.steps.back().loss));
}

}  // namespace
}  // namespace mantissa::engine
