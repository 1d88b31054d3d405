// Elements made low to meet a budget of memory, by policy: the table of docs/budget.md.
//
//   bazel run //tests/bench/planner:budget_table
//
// A budget of 25 % lies a quarter of the way down from the peak with everything high to the peak
// with everything low. Batch size 128, width 1.0, 3x32x32, nothing recomputed.

#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "planner/plan.h"

namespace mantissa::planner {
namespace {

constexpr const char* kPolicies[] = {"demotion", "budget", "increasing", "random"};

PlanRequest RequestFor(const std::string& model, const std::string& policy) {
  return {.model = {.name = model}, .precision = {.policy = policy}, .recompute = Recompute::kNone};
}

int64_t PeakAt(const std::string& model, double low_ratio) {
  PlanRequest request = RequestFor(model, "demotion");
  request.precision.low_ratio = low_ratio;
  return MakePlan(request).value().memory.peak_bytes;
}

TEST(BudgetTable, TheBudgetPolicyMakesNoMoreLowThanThePapersOrder) {
  absl::PrintF("| Model | Budget (MB) |");
  for (const char* policy : kPolicies) absl::PrintF(" %s |", policy);
  absl::PrintF("\n|---|---|---|---|---|---|\n");
  for (const ModelInfo& info : BuiltinModels()) {
    const int64_t high = PeakAt(info.name, 0), low = PeakAt(info.name, 1);
    for (const int percent : {10, 25, 50, 75, 90}) {
      const int64_t budget = high - (high - low) * percent / 100;
      absl::PrintF("| %s | %d %%: %.1f |", info.name, percent, static_cast<double>(budget) / 1e6);
      double ratio_of_demotion = 0;
      for (const std::string policy : kPolicies) {
        PlanRequest request = RequestFor(info.name, policy);
        request.memory_bytes = budget;
        const Plan plan = MakePlan(request).value();
        absl::PrintF(" %.4f |", plan.cost.ratio_low_groups);
        if (policy == "demotion") ratio_of_demotion = plan.cost.ratio_low_groups;
        if (policy != "budget") continue;
        EXPECT_LE(plan.cost.ratio_low_groups, ratio_of_demotion) << info.name << " " << percent;
      }
      absl::PrintF("\n");
    }
  }
}

}  // namespace
}  // namespace mantissa::planner
