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

planner::PlanRequest Recomputed(planner::PlanRequest request) {
  request.recompute = planner::Recompute::kCheap;
  return request;
}

planner::PlanRequest Narrow(planner::PlanRequest request) {
  request.optimizer_state = planner::OptimizerStateWidth::kInt8;
  return request;
}

class MemoryPredictionTest : public testing::TestWithParam<Case> {};

TEST_P(MemoryPredictionTest, PeakAndSavedBytesOfAStepAreAsForecast) {
  const planner::Plan plan = planner::MakePlan(GetParam().request).value();
  const planner::MemoryForecast measured = MeasureStep(plan);
  const auto peak = static_cast<double>(measured.peak_bytes);
  EXPECT_NEAR(static_cast<double>(plan.memory.peak_bytes), peak, kBound * peak);
  const auto saved = static_cast<double>(measured.saved_for_backward_bytes);
  EXPECT_NEAR(static_cast<double>(plan.memory.saved_for_backward_bytes), saved, kBound * saved);
}

INSTANTIATE_TEST_SUITE_P(
    Models, MemoryPredictionTest,
    testing::Values(Case{"resnet18_high", Low("resnet18", 0)},
                    Case{"resnet18_half", Low("resnet18", 0.5)},
                    Case{"resnet18_low", Low("resnet18", 1)},
                    Case{"mobilenet_v2_low", Low("mobilenet_v2", 1)},
                    Case{"shufflenet_v2_low", Low("shufflenet_v2", 1)},
                    Case{"squeezenet_low", Low("squeezenet", 1)},
                    Case{"resnet18_recomputed", Recomputed(Low("resnet18", 1))},
                    Case{"mobilenet_v2_recomputed", Recomputed(Low("mobilenet_v2", 1))},
                    Case{"resnet18_narrow_moments", Narrow(Low("resnet18", 1))}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mantissa::engine
