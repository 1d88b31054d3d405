// Elements made low to meet a budget of memory, by policy: the table of docs/budget.md.
//
//   bazel run //tests/bench/planner:budget_table
//
// A budget of 25 % lies a quarter of the way down from the peak with everything high to the peak
// with everything low. Batch size 128, width 1.0, 3x32x32, nothing recomputed.

#include <cstdint>
#include <map>
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

TEST(BudgetTable, TheBudgetPolicyMakesNoMoreLowThanAnyOtherOrder) {
  absl::PrintF("| Model | Budget (MB) |");
  for (const char* policy : kPolicies) absl::PrintF(" %s |", policy);
  absl::PrintF("\n|---|---|---|---|---|---|\n");
  for (const ModelInfo& info : BuiltinModels()) {
    const int64_t high = PeakAt(info.name, 0), low = PeakAt(info.name, 1);
    for (const int percent : {10, 25, 50, 75, 90}) {
      const int64_t budget = high - (high - low) * percent / 100;
      absl::PrintF("| %s | %d %%: %.1f |", info.name, percent, static_cast<double>(budget) / 1e6);
      std::map<std::string, double> ratios;
      for (const std::string policy : kPolicies) {
        PlanRequest request = RequestFor(info.name, policy);
        request.memory_bytes = budget;
        ratios[policy] = MakePlan(request).value().cost.ratio_low_groups;
        absl::PrintF(" %.4f |", ratios[policy]);
      }
      for (const auto& [policy, ratio] : ratios) {
        EXPECT_LE(ratios["budget"], ratio) << info.name << " " << percent << " " << policy;
      }
      absl::PrintF("\n");
    }
  }
}

}  // namespace
}  // namespace mantissa::planner
