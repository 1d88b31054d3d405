// A job's budget of memory while it trains: tiles that heed it, and word of what did not.
//
//   FitTiles(planner::kGpuTileBytes, plan);
//   BudgetWatch watch(plan.request.memory_bytes);
//   if (auto notice = watch.Check(step, measured_bytes, predicted_bytes)) Tell(*notice);
#ifndef MANTISSA_SERVER_ENGINE_MEMORY_BUDGET_H_
#define MANTISSA_SERVER_ENGINE_MEMORY_BUDGET_H_

#include <cstdint>
#include <optional>
#include <string>

#include "planner/plan.h"

namespace mantissa::engine {

// Gives the plan tiles of `largest_bytes`, or of as many halvings of that as its budget asks for,
// but none smaller than a CPU's, with which it was planned; and the forecast for them.
// REQUIRES: `largest_bytes` is a CPU's tile or a power of two times that.
void FitTiles(int64_t largest_bytes, planner::Plan& plan);

class BudgetWatch {
 public:
  // 0: no budget.
  explicit BudgetWatch(int64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  // What a person should know where a step's peak is above the budget; the first time only.
  std::optional<std::string> Check(int64_t step, int64_t measured_bytes, int64_t predicted_bytes);

 private:
  const int64_t budget_bytes_;
  bool told_ = false;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_MEMORY_BUDGET_H_
