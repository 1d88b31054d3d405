#include "client/cli/memory_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/table.h"
#include "client/cli/text.h"

namespace mantissa::cli {
namespace {

// Names of recomputed operators that are listed; the rest is counted.
constexpr int kMostNames = 6;

double Share(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::string PeakText(const v1::StepMemory& memory) {
  const std::string point = PointText(memory.peak());
  return absl::StrCat(Bytes(memory.peak_bytes()), point.empty() ? "" : ", ", point);
}

std::string BudgetText(int64_t budget, int64_t peak) {
  return absl::StrCat(Bytes(budget), ", ", Percent(Share(peak, budget)), " of it taken");
}

std::string RecomputeText(const v1::Plan& plan) {
  if (plan.recompute().empty()) return "";
  const int listed = std::min(plan.recompute_size(), kMostNames);
  std::string text = absl::StrCat(
      plan.recompute_size(), plan.recompute_size() == 1 ? " operator: " : " operators: ",
      absl::StrJoin(plan.recompute().begin(), plan.recompute().begin() + listed, ", "));
  if (plan.recompute_size() > listed) absl::StrAppend(&text, ", ...");
  return text;
}

}  // namespace

std::string PointText(const v1::MemoryPoint& point) {
  switch (point.phase()) {
    case v1::STEP_PHASE_FORWARD:
      return absl::StrCat("forward of ", point.operator_());
    case v1::STEP_PHASE_RECOMPUTE:
      return absl::StrCat("recomputing ", point.operator_());
    case v1::STEP_PHASE_BACKWARD:
      return absl::StrCat("backward of ", point.operator_());
    case v1::STEP_PHASE_UPDATE:
      return "update";
    default:
      return "";
  }
}

std::string KindTable(const v1::MemoryBytes& bytes) {
  Table table({{"KIND"}, {"BYTES", Table::kRight}, {"SHARE", Table::kRight}});
  for (const auto& [name, get] : kMemoryRows) {
    const int64_t value = (bytes.*get)();
    if (value > 0) table.AddRow({name, Bytes(value), Percent(Share(value, bytes.total()))});
  }
  return table.Render();
}

std::string BaselineTable(int64_t peak_bytes,
                          const google::protobuf::RepeatedPtrField<v1::MemoryBaseline>& baselines) {
  if (baselines.empty()) return "";
  Table table({{"AGAINST"},
               {"PEAK", Table::kRight},
               {"THIS TAKES", Table::kRight},
               {"SAVED", Table::kRight},
               {""}});
  for (const v1::MemoryBaseline& baseline : baselines) {
    const int64_t saved = baseline.peak_bytes() - peak_bytes;
    table.AddRow({baseline.name(), Bytes(baseline.peak_bytes()),
                  Percent(Share(peak_bytes, baseline.peak_bytes())), Bytes(saved),
                  baseline.measured() ? "measured" : "predicted"});
  }
  return table.Render();
}

MemoryFacts PlannedMemoryFacts(const v1::Plan& plan) {
  if (!plan.has_memory()) return {};
  const int64_t budget = plan.precision().memory_bytes();
  return {
      {"predicted peak", PeakText(plan.memory())},
      {"budget", budget > 0 ? BudgetText(budget, plan.memory().peak_bytes()) : ""},
      {"saved for backward", Bytes(plan.memory().saved_for_backward_bytes())},
      {"recomputed", RecomputeText(plan)},
  };
}

MemoryFacts MeasuredMemoryFacts(const v1::JobMemory& memory) {
  if (memory.measured().peak_bytes() <= 0) return {};
  const int64_t predicted = memory.predicted().peak_bytes();
  const int64_t budget = memory.budget_bytes();
  return {
      {"peak memory", PeakText(memory.measured())},
      {"predicted", predicted > 0 ? Bytes(predicted) : ""},
      {"budget", budget > 0 ? BudgetText(budget, memory.measured().peak_bytes()) : ""},
      {"saved for backward", Bytes(memory.measured().saved_for_backward_bytes())},
  };
}

}  // namespace mantissa::cli
