#include "server/engine/moments.h"

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "ATen/ops/isfinite.h"
#include "ATen/ops/matmul.h"
#include "ATen/ops/zeros.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/engine/optimizer.h"

namespace mantissa::engine {
namespace {

using planner::OptimizerStateWidth;
using ::testing::Combine;
using ::testing::Values;

// More than a chunk, and no multiple of a block.
constexpr int64_t kMany = planner::kMomentChunkElements + 5000;

// Made once, since every test runs the same steps.
at::Tensor Normal(at::IntArrayRef sizes, uint64_t stream) {
  static auto& made = *new std::map<std::pair<std::vector<int64_t>, uint64_t>, at::Tensor>;
  at::Tensor& tensor = made[{sizes.vec(), stream}];
  if (!tensor.defined()) {
    tensor = at::empty(sizes);
    RandomStream numbers(/*seed=*/3, stream);
    float* const data = tensor.mutable_data_ptr<float>();
    for (int64_t i = 0; i < tensor.numel(); ++i) data[i] = static_cast<float>(numbers.Normal());
  }
  return tensor.clone();
}

struct Outcome {
  at::Tensor parameter;
  std::unique_ptr<Optimizer> optimizer;
};

// Four steps on random gradients.
Outcome RunSteps(planner::OptimizerKind kind, OptimizerStateWidth width, int64_t elements,
                 uint64_t seed = 1) {
  Outcome run{.parameter = Normal({elements}, 0)};
  run.optimizer = MakeOptimizer({.kind = kind, .state = width, .seed = seed}, {run.parameter});
  for (uint64_t step = 1; step <= 4; ++step) {
    run.optimizer->BeginStep();
    run.optimizer->Update(0, run.parameter, Normal({elements}, step), /*learning_rate=*/0.01);
  }
  return run;
}

double MaxOf(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

class WidthTest
    : public ::testing::TestWithParam<std::tuple<planner::OptimizerKind, OptimizerStateWidth>> {
 protected:
  const planner::OptimizerKind kind_ = std::get<0>(GetParam());
  const OptimizerStateWidth width_ = std::get<1>(GetParam());
};

INSTANTIATE_TEST_SUITE_P(AllWidths, WidthTest,
                         Combine(Values(planner::OptimizerKind::kSgd,
                                        planner::OptimizerKind::kAdamW),
                                 Values(OptimizerStateWidth::kBf16, OptimizerStateWidth::kInt8)));

TEST_P(WidthTest, StepsStayWithinTheRoundingOfTheMomentsOfTheFp32Steps) {
  const Outcome exact = RunSteps(kind_, OptimizerStateWidth::kFp32, kMany);
  const Outcome run = RunSteps(kind_, width_, kMany);
  const at::Tensor error = run.parameter - exact.parameter;
  EXPECT_GT(MaxOf(error), 0);
  if (kind_ == planner::OptimizerKind::kSgd) {
    // A momentum stays below 2 * 4.42 + 9 * 0.05 in magnitude (what 4 steps of these gradients sum
    // up to at most); a rounding moves it by one unit of bf16, 2^-8 of its power of two, or half
    // the widest gap of the 8-bit table, 0.9 / 64 / 2 of the block's largest. Three roundings reach
    // the weights, weighted 0.9 + 0.81 + 0.729, 0.9 + 0.81 and 0.9.
    const double largest = MaxOf(exact.optimizer->moments()[0].tensor(0));
    const double rounding = width_ == OptimizerStateWidth::kBf16 ? 0x1p-7 : 0.9 / 128;
    EXPECT_LT(MaxOf(error), 0.01 * (2.439 + 1.71 + 0.9) * rounding * 1.5 * largest);
    // Rounded up as often as down; the table of 8 bits is not quite symmetric.
    if (width_ == OptimizerStateWidth::kBf16) {
      EXPECT_LT(std::abs(error.mean().item<double>()), 1e-6);
    }
    return;
  }
  // AdamW divides by the root of the second moment, which 8 bits know to some per cent, and least
  // where it is small beside its block's largest; in the mean the step of 4 * 0.01 is off by less
  // than 2 per cent, and no weight by more than the step itself.
  EXPECT_LT(error.abs().mean().item<double>(), 0.02 * 0.04);
  EXPECT_LT(MaxOf(error), 0.04);
}

TEST_P(WidthTest, EqualSeedsGiveEqualBitsAndThreadsDoNotMatter) {
  const Outcome first = RunSteps(kind_, width_, kMany), second = RunSteps(kind_, width_, kMany);
  EXPECT_TRUE(at::equal(first.parameter, second.parameter));
  const Outcome other = RunSteps(kind_, width_, kMany, /*seed=*/2);
  // Only bf16 draws random numbers.
  EXPECT_EQ(at::equal(first.parameter, other.parameter), width_ == OptimizerStateWidth::kInt8);
}

TEST_P(WidthTest, TakesTheBytesThatTheMemoryModelCounts) {
  for (const int64_t elements : {int64_t{1}, int64_t{4095}, int64_t{4096}, int64_t{4097}, kMany}) {
    const Outcome run = RunSteps(kind_, width_, elements);
    for (const Moment& moment : run.optimizer->moments()) {
      int64_t bytes = 0;
      for (const Moment::State& state : moment.states(0)) bytes += state.tensor.nbytes();
      EXPECT_EQ(bytes, planner::MomentBytes(width_, elements)) << elements;
    }
  }
}

TEST_P(WidthTest, AStateCopiedOverGoesOnBitForBit) {
  Outcome run = RunSteps(kind_, width_, kMany);
  Outcome other{.parameter = run.parameter.clone()};
  other.optimizer = MakeOptimizer({.kind = kind_, .state = width_, .seed = 1}, {other.parameter});
  other.optimizer->set_steps(run.optimizer->steps());
  for (size_t i = 0; i < run.optimizer->moments().size(); ++i) {
    const std::vector<Moment::State> from = run.optimizer->moments()[i].states(0);
    const std::vector<Moment::State> to = other.optimizer->moments()[i].states(0);
    ASSERT_EQ(from.size(), to.size());
    for (size_t j = 0; j < from.size(); ++j) to[j].tensor.copy_(from[j].tensor);
  }
  for (Outcome* each : {&run, &other}) {
    each->optimizer->BeginStep();
    each->optimizer->Update(0, each->parameter, Normal({kMany}, 9), 0.01);
  }
  EXPECT_TRUE(at::equal(run.parameter, other.parameter));
}

// Least squares: 128 equations for 64 * 64 unknowns in 64 columns.
TEST_P(WidthTest, SolvesLeastSquaresAsWellAsFp32) {
  const at::Tensor inputs = Normal({128, 64}, 0);
  const at::Tensor targets = at::matmul(inputs, Normal({64, 64}, 1));
  const auto train = [&](OptimizerStateWidth width) {
    const at::Tensor weights = at::zeros({64, 64});
    const auto optimizer =
        MakeOptimizer({.kind = kind_, .weight_decay = 0, .state = width}, {weights});
    for (int step = 0; step < 200; ++step) {
      const at::Tensor residual = at::matmul(inputs, weights) - targets;
      optimizer->BeginStep();
      optimizer->Update(0, weights, at::matmul(inputs.t(), residual).div_(128), 0.05);
    }
    return (at::matmul(inputs, weights) - targets).square().mean().item<double>();
  };
  const double start = targets.square().mean().item<double>();
  EXPECT_LT(train(OptimizerStateWidth::kFp32), 1e-3 * start);
  EXPECT_LT(train(width_), 2e-3 * start);
}

TEST(Int8Moments, SmallParametersAreBitForBitThoseOfFp32) {
  const Outcome exact = RunSteps(planner::OptimizerKind::kAdamW, OptimizerStateWidth::kFp32, 4095);
  const Outcome run = RunSteps(planner::OptimizerKind::kAdamW, OptimizerStateWidth::kInt8, 4095);
  EXPECT_TRUE(at::equal(run.parameter, exact.parameter));
}

// One gradient a block dwarfs the others, whose squares are then zeros in 8 bits while their first
// moments are not.
TEST(Int8Moments, SecondMomentsTooSmallForTheTableDoNotBlowUpTheStep) {
  const at::Tensor parameter = at::zeros({4096});
  const auto optimizer = MakeOptimizer({.kind = planner::OptimizerKind::kAdamW,
                                        .weight_decay = 0,
                                        .state = OptimizerStateWidth::kInt8},
                                       {parameter});
  for (int step = 0; step < 5; ++step) {
    at::Tensor gradient = at::full({4096}, step == 0 ? 1e-4 : 0.0);
    gradient[0] = 1.0;
    gradient[3000] = 1.0;
    optimizer->BeginStep();
    optimizer->Update(0, parameter, gradient, /*learning_rate=*/0.01);
  }
  // Five whole steps at the most.
  EXPECT_TRUE(at::isfinite(parameter).all().item<bool>());
  EXPECT_LE(MaxOf(parameter), 5 * 0.01 * 1.01);
}

}  // namespace
}  // namespace mantissa::engine
