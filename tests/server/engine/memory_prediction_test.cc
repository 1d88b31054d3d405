// The planner's forecast of a step's tensor bytes against a step.

#include <cstdint>
#include <ostream>
#include <string>

#include "gtest/gtest.h"
#include "planner/plan.h"
#include "tests/bench/memory/measure.h"

namespace mantissa::engine {
namespace {

constexpr double kBound = 0.05;

struct Case {
  std::string name;
  planner::PlanRequest request;
  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

planner::PlanRequest Low(const std::string& model, double low_ratio) {
  return {.model = {.name = model, .width = 0.25},
          .precision = {.policy = "demotion", .low_ratio = low_ratio},
          .batch_size = 16};
}

// Convolutions of 4 to 12 channels, which oneDNN lays out in ways of their own.
planner::PlanRequest Narrow(const std::string& model) {
  return {.model = {.name = model, .width = 0.1},
          .precision = {.policy = "demotion", .low_ratio = 0.5},
          .batch_size = 32};
}

planner::PlanRequest Recomputed(planner::PlanRequest request) {
  request.recompute = planner::Recompute::kCheap;
  return request;
}

planner::PlanRequest Moments(planner::PlanRequest request, planner::OptimizerKind optimizer,
                             planner::OptimizerStateWidth width) {
  request.optimizer = optimizer;
  request.optimizer_state = width;
  return request;
}

planner::PlanRequest Bf16(planner::PlanRequest request) {
  request.recipe = planner::Recipe::kBf16;
  return request;
}

planner::PlanRequest Emulated(planner::PlanRequest request) {
  request.packed = false;
  return request;
}

planner::PlanRequest Fp32(planner::PlanRequest request) {
  request.precision = {.policy = "none"};
  return request;
}

class MemoryPredictionTest : public testing::TestWithParam<Case> {};

TEST_P(MemoryPredictionTest, PeakAndSavedBytesOfAStepAreAsForecast) {
  const planner::Plan plan = planner::MakePlan(GetParam().request).value();
  const planner::MemoryForecast measured = MeasureStep(plan);
  const auto peak = static_cast<double>(measured.peak_bytes);
  EXPECT_NEAR(static_cast<double>(plan.memory.peak_bytes), peak, kBound * peak);
  EXPECT_EQ(plan.memory.saved_for_backward_bytes, measured.saved_for_backward_bytes);
}

constexpr auto kSgd = planner::OptimizerKind::kSgd, kAdamW = planner::OptimizerKind::kAdamW;
using Width = planner::OptimizerStateWidth;

INSTANTIATE_TEST_SUITE_P(Models, MemoryPredictionTest,
                         testing::Values(Case{"resnet18_high", Low("resnet18", 0)},
                                         Case{"resnet18_half", Low("resnet18", 0.5)},
                                         Case{"resnet18_low", Low("resnet18", 1)},
                                         Case{"mobilenet_v2_low", Low("mobilenet_v2", 1)},
                                         Case{"shufflenet_v2_low", Low("shufflenet_v2", 1)},
                                         Case{"squeezenet_low", Low("squeezenet", 1)},
                                         Case{"resnet18_few_channels", Narrow("resnet18")},
                                         Case{"squeezenet_few_channels", Narrow("squeezenet")}),
                         [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(Recomputed, MemoryPredictionTest,
                         testing::Values(Case{"resnet18", Recomputed(Low("resnet18", 1))},
                                         Case{"mobilenet_v2", Recomputed(Low("mobilenet_v2", 1))}),
                         [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Moments, MemoryPredictionTest,
    testing::Values(Case{"sgd_bf16", Moments(Low("resnet18", 1), kSgd, Width::kBf16)},
                    Case{"sgd_int8", Moments(Low("resnet18", 1), kSgd, Width::kInt8)},
                    Case{"adamw_fp32", Moments(Low("resnet18", 1), kAdamW, Width::kFp32)},
                    Case{"adamw_bf16", Moments(Low("resnet18", 1), kAdamW, Width::kBf16)},
                    Case{"adamw_int8", Moments(Low("resnet18", 1), kAdamW, Width::kInt8)}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(Bf16, MemoryPredictionTest,
                         testing::Values(Case{"resnet18_high", Bf16(Low("resnet18", 0))},
                                         Case{"resnet18_low", Bf16(Low("resnet18", 1))},
                                         Case{"mobilenet_v2_half", Bf16(Low("mobilenet_v2", 0.5))},
                                         Case{"shufflenet_v2_low", Bf16(Low("shufflenet_v2", 1))},
                                         Case{"squeezenet_high", Bf16(Low("squeezenet", 0))}),
                         [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Wide, MemoryPredictionTest,
    testing::Values(Case{"resnet18_emulated", Emulated(Low("resnet18", 0.5))},
                    Case{"shufflenet_v2_emulated", Emulated(Low("shufflenet_v2", 1))},
                    Case{"mobilenet_v2_emulated_bf16", Emulated(Bf16(Low("mobilenet_v2", 0.5)))},
                    Case{"resnet18_fp32", Fp32(Low("resnet18", 0))},
                    Case{"mobilenet_v2_fp32", Fp32(Low("mobilenet_v2", 0))},
                    Case{"squeezenet_fp32", Fp32(Low("squeezenet", 0))}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mantissa::engine
