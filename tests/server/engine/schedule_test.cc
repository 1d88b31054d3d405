#include "server/engine/schedule.h"

#include <cmath>

#include "gtest/gtest.h"

namespace mantissa::engine {
namespace {

TEST(Schedule, CosineFallsFromTheBaseToZeroAndStaysThere) {
  const ScheduleOptions options{.base = 0.1, .epochs = 4};
  EXPECT_DOUBLE_EQ(LearningRate(options, 0), 0.1);
  // As recorded by the program published with the paper.
  EXPECT_DOUBLE_EQ(LearningRate(options, 1), 0.08535533905932738);
  EXPECT_DOUBLE_EQ(LearningRate(options, 2), 0.05);
  EXPECT_NEAR(LearningRate(options, 4), 0, 1e-17);
  EXPECT_NEAR(LearningRate(options, 9), 0, 1e-17);
}

TEST(Schedule, StepMultipliesAtEveryBoundary) {
  const ScheduleOptions options{
      .kind = ScheduleKind::kStep, .base = 1, .step_epochs = 3, .step_gamma = 0.5};
  EXPECT_EQ(LearningRate(options, 2), 1);
  EXPECT_EQ(LearningRate(options, 3), 0.5);
  EXPECT_EQ(LearningRate(options, 6), 0.25);
}

TEST(Schedule, WarmupRisesLinearlyAndTheScheduleBeginsAfterIt) {
  const ScheduleOptions options{.base = 0.3, .epochs = 10, .warmup_epochs = 2};
  EXPECT_DOUBLE_EQ(LearningRate(options, 0), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(options, 1), 0.2);
  EXPECT_DOUBLE_EQ(LearningRate(options, 2), 0.3);
  EXPECT_DOUBLE_EQ(LearningRate(options, 7), 0.15);
}

TEST(Schedule, ConstantNeverChanges) {
  const ScheduleOptions options{.kind = ScheduleKind::kConstant, .base = 0.7};
  EXPECT_EQ(LearningRate(options, 0), 0.7);
  EXPECT_EQ(LearningRate(options, 1000), 0.7);
}

}  // namespace
}  // namespace mantissa::engine
