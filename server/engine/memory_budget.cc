#include "server/engine/memory_budget.h"

#include "absl/strings/str_cat.h"
#include "planner/schedule/tiles.h"

namespace mantissa::engine {

void FitTiles(int64_t largest_bytes, planner::Plan& plan) {
  const int64_t budget = plan.request.memory_bytes;
  plan.request.tile_bytes = largest_bytes;
  planner::Forecast(plan);
  while (budget > 0 && plan.memory.peak_bytes > budget &&
         plan.request.tile_bytes > planner::TileOptions().tile_bytes) {
    plan.request.tile_bytes /= 2;
    planner::Forecast(plan);
  }
}

std::optional<std::string> BudgetWatch::Check(int64_t step, int64_t measured_bytes,
                                              int64_t predicted_bytes) {
  if (budget_bytes_ == 0 || measured_bytes <= budget_bytes_ || told_) return std::nullopt;
  told_ = true;
  return absl::StrCat("step ", step, " needed ", measured_bytes,
                      " bytes of tensors, more than the budget of ", budget_bytes_,
                      "; it was planned with ", predicted_bytes,
                      " for the precision in force, which promotions raise. A smaller budget "
                      "leaves room for them.");
}

}  // namespace mantissa::engine
