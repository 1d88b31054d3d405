#include "server/engine/memory_budget.h"

#include <cstdint>
#include <map>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::engine {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMiB = int64_t{1} << 20;

planner::Plan PlanWith(int64_t tile_bytes) {
  return planner::MakePlan({.model = {.name = "mobilenet_v2", .width = 0.5},
                            .precision = {.policy = "uniform", .low_ratio = 1},
                            .batch_size = 128,
                            .tile_bytes = tile_bytes})
      .value();
}

// The size that FitTiles() takes for a budget.
int64_t FittedFor(int64_t budget_bytes) {
  planner::Plan plan = PlanWith(planner::TileOptions().tile_bytes);
  plan.request.memory_bytes = budget_bytes;
  const std::vector<kernels::Format> formats = plan.assignment.formats;
  FitTiles(32 * kMiB, plan);
  EXPECT_EQ(plan.assignment.formats, formats);
  EXPECT_EQ(plan.memory.peak_bytes, PlanWith(plan.request.tile_bytes).memory.peak_bytes)
      << "the forecast is for other tiles";
  return plan.request.tile_bytes;
}

TEST(FitTiles, TakesTheLargestWithWhichTheForecastIsWithinTheBudget) {
  std::map<int64_t, int64_t> peaks;  // by size
  for (int64_t tile = 2 * kMiB; tile <= 32 * kMiB; tile *= 2) {
    peaks[tile] = PlanWith(tile).memory.peak_bytes;
  }
  ASSERT_LT(peaks[2 * kMiB], peaks[4 * kMiB]);
  ASSERT_LT(peaks[4 * kMiB], peaks[32 * kMiB]);
  for (const auto& [size, budget] : peaks) {
    int64_t largest = 0;
    for (const auto& [tile, peak] : peaks) {
      if (peak <= budget) largest = tile;
    }
    EXPECT_EQ(FittedFor(budget), largest);
  }
  EXPECT_EQ(FittedFor(peaks[4 * kMiB] - 1), 2 * kMiB);
}

TEST(FitTiles, TakesTheLargestOfAllWithoutABudget) { EXPECT_EQ(FittedFor(0), 32 * kMiB); }

TEST(FitTiles, EndsWithTheTilesThatThePlanWasMadeWith) {
  EXPECT_EQ(FittedFor(1), planner::TileOptions().tile_bytes);
}

TEST(BudgetWatch, TellsOnceOfTheFirstStepAboveTheBudget) {
  BudgetWatch watch(1000);
  EXPECT_FALSE(watch.Check(1, 999, 990));
  EXPECT_FALSE(watch.Check(2, 1000, 990));
  const auto notice = watch.Check(7, 1001, 995);
  ASSERT_TRUE(notice);
  EXPECT_THAT(*notice, HasSubstr("step 7 needed 1001 bytes"));
  EXPECT_THAT(*notice, HasSubstr("the budget of 1000; it was planned with 995"));
  EXPECT_FALSE(watch.Check(8, 1002, 995));
}

TEST(BudgetWatch, TellsNothingOfAJobWithoutABudget) {
  EXPECT_FALSE(BudgetWatch(0).Check(1, int64_t{1} << 40, 1));
}

}  // namespace
}  // namespace mantissa::engine
