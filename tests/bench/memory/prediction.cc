// Predicted against measured tensor bytes of a training step: the table of
// docs/memory-prediction.md.
//
//   bazel run //tests/bench/memory:prediction
//   bazel run //tests/bench/memory:prediction -- model=resnet18 width=1 batch=128 ratio=1 points=1
//
// Each key narrows the table to a value: model, width, batch, ratio (of demotion; -1: policy none),
// recipe (paper, bf16), state (fp32, bf16, int8), recompute (none, cheap), storage (packed,
// emulated). points=1 adds each moment of the step.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "planner/plan.h"
#include "tests/bench/memory/measure.h"

namespace mantissa::engine {
namespace {

using planner::MemoryForecast;
using planner::MemoryPoint;

std::map<std::string, std::string>& Arguments() {
  static auto* const arguments = new std::map<std::string, std::string>;
  return *arguments;
}

// What was asked for, else `otherwise`.
std::vector<std::string> ValuesOf(const std::string& key, std::vector<std::string> otherwise) {
  const auto found = Arguments().find(key);
  if (found == Arguments().end()) return otherwise;
  return absl::StrSplit(found->second, ',');
}

double Number(const std::string& text) {
  double number = 0;
  MANTISSA_CHECK(absl::SimpleAtod(text, &number), text, " is no number");
  return number;
}

std::string Point(const planner::Plan& plan, const MemoryPoint& point) {
  constexpr const char* kPhases[] = {"forward", "recompute", "backward"};
  if (point.node == planner::kNoNode) return "update";
  return absl::StrCat(kPhases[static_cast<int>(point.kind)], " ", plan.graph.node(point.node).name);
}

std::string Kinds(const planner::MemoryByKind& bytes) {
  std::string text;
  for (const int64_t kind : bytes) absl::StrAppendFormat(&text, " %8.3f", kind / 1e6);
  return text;
}

void PrintPoints(const planner::Plan& plan, const MemoryForecast& measured) {
  // A step that overflows has no update.
  MANTISSA_CHECK(measured.points.size() <= plan.memory.points.size(), "other points");
  for (size_t i = 0; i < measured.points.size(); ++i) {
    const planner::MemoryByKind& predicted = plan.memory.points[i].by_kind;
    const planner::MemoryByKind& real = measured.points[i].by_kind;
    std::cout << absl::StrFormat("%-36s %.4f |%s |%s\n", Point(plan, plan.memory.points[i]),
                                 static_cast<double>(predicted.total()) / real.total(),
                                 Kinds(predicted), Kinds(real));
  }
}

double PrintRow(planner::PlanRequest request, const std::string& ratio) {
  if (ratio == "-1") {
    request.precision = {.policy = "none"};
  } else {
    request.precision = {.policy = "demotion", .low_ratio = Number(ratio)};
  }
  const planner::Plan plan = planner::MakePlan(request).value();
  const MemoryForecast measured = MeasureStep(plan);
  const double quotient = static_cast<double>(plan.memory.peak_bytes) / measured.peak_bytes;
  std::cout << absl::StrFormat(
                   "| %s | %g | %d | %s | %.2f | %.2f | %.6f | %.2f | %.2f | %s | %s |\n",
                   request.model.name, request.model.width, request.batch_size,
                   ratio == "-1" ? "fp32" : ratio, plan.memory.peak_bytes / 1e6,
                   measured.peak_bytes / 1e6, quotient, plan.memory.saved_for_backward_bytes / 1e6,
                   measured.saved_for_backward_bytes / 1e6,
                   Point(plan, plan.memory.points[plan.memory.peak]),
                   Point(plan, measured.points[measured.peak]))
            << std::flush;
  if (Arguments().count("points") > 0) PrintPoints(plan, measured);
  return quotient;
}

void PrintTable() {
  std::cout << "| Model | Width | Batch | r | Predicted (MB) | Measured (MB) | Ratio | Saved, "
               "predicted | Saved, measured | Predicted peak | Measured peak |\n"
               "|---|---|---|---|---|---|---|---|---|---|---|\n";
  std::vector<double> quotients;
  planner::PlanRequest request;
  if (ValuesOf("recipe", {"paper"})[0] == "bf16") request.recipe = planner::Recipe::kBf16;
  const std::string state = ValuesOf("state", {"fp32"})[0];
  if (state == "bf16") request.optimizer_state = planner::OptimizerStateWidth::kBf16;
  if (state == "int8") request.optimizer_state = planner::OptimizerStateWidth::kInt8;
  if (ValuesOf("recompute", {"none"})[0] == "cheap") request.recompute = planner::Recompute::kCheap;
  request.packed = ValuesOf("storage", {"packed"})[0] != "emulated";
  std::vector<std::string> names;
  for (const planner::ModelInfo& info : planner::BuiltinModels()) names.push_back(info.name);
  for (const std::string& name : ValuesOf("model", names)) {
    for (const std::string& width : ValuesOf("width", {"1", "0.5", "0.25"})) {
      for (const std::string& batch : ValuesOf("batch", {"32", "128"})) {
        request.model = {.name = name, .width = Number(width)};
        request.batch_size = static_cast<int64_t>(Number(batch));
        for (const std::string& ratio : ValuesOf("ratio", {"0", "0.5", "1"})) {
          quotients.push_back(PrintRow(request, ratio));
        }
      }
    }
  }
  const auto [least, most] = std::minmax_element(quotients.begin(), quotients.end());
  std::cout << absl::StrFormat("\nPredicted / measured: %.4f to %.4f in %d rows.\n", *least, *most,
                               quotients.size());
}

}  // namespace
}  // namespace mantissa::engine

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::pair<std::string, std::string> argument = absl::StrSplit(argv[i], '=');
    mantissa::engine::Arguments().insert(argument);
  }
  mantissa::engine::PrintTable();
}
