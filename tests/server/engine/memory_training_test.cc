// The memory of whole trainings: told when it should be, of kinds that add up, without leaks.

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/data/array_samples.h"
#include "server/engine/memory_baselines.h"
#include "server/engine/trainer.h"

namespace mantissa::engine {
namespace {

using planner::MemoryKind;
using ::testing::SizeIs;

constexpr int64_t kBatch = 16;
constexpr int64_t kSteps = 5;

// The pixels of the third batch are `third` times as large.
data::LoadedDataset MakeData(float third = 1) {
  std::vector<float> pixels;
  std::vector<int64_t> labels;
  RandomStream numbers(1, 0);
  for (int64_t i = 0; i < kBatch * kSteps; ++i) {
    for (int pixel = 0; pixel < 3 * 32 * 32; ++pixel) {
      const float value = static_cast<float>(numbers.Below(256)) / 128 - 1;
      pixels.push_back(i / kBatch == 2 ? third * value : value);
    }
    labels.push_back(i % 4);
  }
  data::LoadedDataset data{.inputs = {{"x", data::ElementType::kFloat32, {3, 32, 32}}},
                           .target = {"y", data::ElementType::kInt64, {}, 4}};
  data.train = data.test = data::MakeArraySamples({data::MakeColumn("x", {3, 32, 32}, pixels)},
                                                  data::MakeColumn("y", {}, labels));
  return data;
}

planner::Plan MakePlan(const std::string& policy, const std::string& model = "resnet18") {
  auto plan = planner::MakePlan({.model = {.name = model, .width = 0.25, .classes = 4},
                                 .precision = {.policy = policy},
                                 .batch_size = kBatch});
  MANTISSA_CHECK_OK(plan);
  return *std::move(plan);
}

TrainingOptions OptionsOf(const planner::Plan& plan) {
  return {.epochs = 1,
          .batch_size = kBatch,
          .learning_rate = 0.01,
          .loss_scale = 1,
          .dynamic_loss_scale = false,
          .promotion_threshold = 2,
          .threads = 1,
          .round = plan.request.precision.policy != "none",
          .model = plan.request.model};
}

class Listener : public TrainingObserver {
 public:
  absl::Status OnStart(int64_t, int64_t) override { return absl::OkStatus(); }
  absl::Status OnStep(const StepRecord& record) override {
    peaks.push_back(record.peak_memory_bytes);
    return absl::OkStatus();
  }
  absl::Status OnMemory(const MemoryRecord& record) override {
    told_after.push_back(static_cast<int64_t>(peaks.size()));
    memories.push_back(record);
    return absl::OkStatus();
  }
  absl::Status OnEvaluation(const EvaluationRecord&) override { return absl::OkStatus(); }
  absl::Status OnCheckpoint(const std::string&, int64_t) override { return absl::OkStatus(); }
  bool Cancelled() override { return false; }

  std::vector<int64_t> peaks, told_after;
  std::vector<MemoryRecord> memories;
};

Listener Listen(planner::Plan& plan, const TrainingOptions& options,
                const data::LoadedDataset& data = MakeData()) {
  Listener listener;
  MANTISSA_CHECK_OK(Train(plan, data, options, listener));
  return listener;
}

class MemoryOfATraining : public testing::TestWithParam<const char*> {};

TEST_P(MemoryOfATraining, IsMeasuredInThePointsThatWerePredicted) {
  planner::Plan plan = MakePlan(GetParam());
  const Listener listener = Listen(plan, OptionsOf(plan));
  ASSERT_THAT(listener.memories, SizeIs(1));
  EXPECT_EQ(listener.told_after[0], 2);
  const MemoryRecord& memory = listener.memories[0];
  EXPECT_EQ(memory.device, "cpu");
  EXPECT_EQ(memory.predicted.peak_bytes, plan.memory.peak_bytes);
  ASSERT_EQ(memory.measured.points.size(), memory.predicted.points.size());
  for (size_t i = 0; i < memory.measured.points.size(); ++i) {
    const planner::MemoryPoint& measured = memory.measured.points[i];
    EXPECT_EQ(measured.node, memory.predicted.points[i].node);
    EXPECT_EQ(measured.kind, memory.predicted.points[i].kind);
    for (const int64_t bytes : measured.by_kind) EXPECT_GE(bytes, 0) << i;
    // Of these every byte is known beforehand.
    for (const MemoryKind kind : {MemoryKind::kMasters, MemoryKind::kOptimizer}) {
      EXPECT_EQ(measured.by_kind.of(kind), memory.predicted.points[i].by_kind.of(kind))
          << i << " kind " << static_cast<int>(kind);
    }
  }
  EXPECT_EQ(memory.measured.saved_for_backward_bytes, memory.predicted.saved_for_backward_bytes);
  EXPECT_EQ(memory.measured.points[memory.measured.peak].by_kind.total(),
            memory.measured.peak_bytes);
}

TEST_P(MemoryOfATraining, IsTheSameInEveryStepOfEqualBatches) {
  planner::Plan plan = MakePlan(GetParam());
  const Listener listener = Listen(plan, OptionsOf(plan));
  ASSERT_THAT(listener.peaks, SizeIs(kSteps));
  for (int64_t step = 2; step < kSteps; ++step) {
    EXPECT_EQ(listener.peaks[step], listener.peaks[1]) << "step " << step + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, MemoryOfATraining,
                         testing::Values("none", "uniform", "operator"));

TEST(MemoryOfATraining, IsToldOfATrainingOfOneStep) {
  planner::Plan plan = MakePlan("uniform", "squeezenet");
  TrainingOptions options = OptionsOf(plan);
  options.max_steps = 1;
  EXPECT_THAT(Listen(plan, options).memories, SizeIs(1));
}

TEST(MemoryOfATraining, IsToldAgainWhenPromotedTensorsNeedMore) {
  planner::Plan plan = MakePlan("uniform");
  const planner::MemoryForecast planned = plan.memory;
  TrainingOptions options = OptionsOf(plan);
  options.promotion_threshold = 0.01;
  options.shuffle = false;
  const Listener listener = Listen(plan, options, MakeData(/*third=*/1e4));
  // The third step overflows and promotes, the fourth runs with that.
  EXPECT_THAT(listener.told_after, ::testing::ElementsAre(2, 4));
  EXPECT_EQ(listener.memories[0].predicted.peak_bytes, planned.peak_bytes);
  EXPECT_GT(listener.memories[1].predicted.peak_bytes, planned.peak_bytes);
  EXPECT_GT(listener.memories[1].measured.peak_bytes, listener.memories[0].measured.peak_bytes);
  EXPECT_EQ(listener.memories[1].step, 4);
  EXPECT_EQ(listener.memories[1].measured.saved_for_backward_bytes,
            listener.memories[1].predicted.saved_for_backward_bytes);
}

TEST(MeasureBaselines, RunsAStepOfEach) {
  planner::Plan plan = MakePlan("uniform");
  const TrainingOptions options = OptionsOf(plan);
  const Listener listener = Listen(plan, options);
  const auto baselines = MeasureBaselines(plan, options, {.slowest_step_seconds = 1});
  ASSERT_THAT(baselines, SizeIs(3));
  for (size_t i = 0; i < baselines.size(); ++i) {
    EXPECT_EQ(baselines[i].name, plan.baselines[i].name);
    EXPECT_TRUE(baselines[i].measured) << baselines[i].name;
    EXPECT_GT(baselines[i].peak_bytes, listener.peaks[1]) << baselines[i].name;
  }
  EXPECT_GT(baselines[0].peak_bytes, baselines[1].peak_bytes) << "fp32 needs most";
  // As a training in fp32 measures it.
  planner::Plan fp32 = MakePlan("none");
  EXPECT_EQ(baselines[0].peak_bytes, Listen(fp32, OptionsOf(fp32)).peaks[0]);
}

TEST(MeasureBaselines, PredictsWhereAStepTakesTooLongOrTheWorkerShallStop) {
  const planner::Plan plan = MakePlan("uniform", "squeezenet");
  const TrainingOptions options = OptionsOf(plan);
  for (const BaselineOptions& limits : {BaselineOptions{.slowest_step_seconds = 21},
                                        BaselineOptions{.stop = [] { return true; }}}) {
    const auto baselines = MeasureBaselines(plan, options, limits);
    ASSERT_THAT(baselines, SizeIs(3));
    for (size_t i = 0; i < baselines.size(); ++i) {
      EXPECT_FALSE(baselines[i].measured);
      EXPECT_EQ(baselines[i].peak_bytes, plan.baselines[i].peak_bytes);
    }
  }
}

}  // namespace
}  // namespace mantissa::engine
