#include "tests/models/guesses.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>

#include "ATen/Functions.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "tests/models/sample_shapes.h"

namespace mantissa::model_replay {
namespace {

using planner::DType;
using planner::Value;

// Most values that the model's integer inputs may have: rows of its smallest embedding.
int64_t Vocabulary(const planner::Graph& graph) {
  int64_t rows = INT64_MAX;
  for (const planner::Node& node : graph.nodes()) {
    if (node.op != "aten::embedding") continue;
    const auto* weight = std::get_if<planner::ValueRef>(&node.args[0].value);
    if (weight != nullptr) rows = std::min(rows, graph.value(weight->id).shape[0].factor);
  }
  return rows == INT64_MAX ? 2 : rows;
}

}  // namespace

std::vector<Samples> OtherReadings(const planner::Graph& graph, const RecordedModel& recorded,
                                   const Files& files) {
  const int64_t vocabulary = Vocabulary(graph);
  const bool takes_tokens = graph.value(graph.inputs()[0]).dtype == DType::kInt64;
  const std::vector<std::string> tokens = {"u8 // 16",
                                           "u8",
                                           "round(u8 * 16 / 255)",
                                           "u8 // 8",
                                           "u8 // 32",
                                           "u8 // 4",
                                           "u8 > 127",
                                           absl::StrCat("u8 % ", vocabulary),
                                           absl::StrCat("u8 * ", vocabulary, " // 256")};
  const std::vector<std::string> windows = {"", "[:, :-1]", "[:, 1:]"};
  std::vector<std::string> inputs;
  for (const std::string& token : takes_tokens ? tokens : std::vector<std::string>{"u8"}) {
    for (const std::string& window : takes_tokens ? windows : std::vector<std::string>{""})
      inputs.push_back(
          absl::StrCat("all = ", takes_tokens ? absl::StrCat("flatten(", token, ")") : token,
                       "; x = all", window));
  }
  std::vector<std::string> targets = {"labels",           "x",        "all[:, 1:]",
                                      "all shifted left", "u8 > 127", "u8 > 0",
                                      "u8 // 128",        "u8 // 64", "u8 // 32"};
  for (const auto& [stem, arrays] : files) targets.push_back(stem);
  std::vector<Samples> readings;
  for (const std::string& input : inputs) {
    for (const std::string& target : targets) {
      RecordedModel other = recorded;
      other.data_text = absl::StrCat(input, "; target = ", target);
      auto samples = SamplesOf(graph, other, files);
      if (!samples.ok()) continue;
      const at::Tensor& first = samples->inputs[0];
      if (takes_tokens && first.max().item<int64_t>() >= vocabulary) continue;
      samples->how = absl::StrCat("the data text is taken for \"", other.data_text, "\"");
      readings.push_back(*std::move(samples));
    }
  }
  return readings;
}

absl::StatusOr<Samples> MadeUpSamples(const planner::Graph& graph, const std::string& folder) {
  constexpr int64_t kSamples = 64;
  Samples samples;
  Files files;
  for (const planner::ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    const std::vector<int64_t> sizes = SampleSizes(input.shape);
    const std::string file = sizes.empty() ? "" : absl::StrCat("digits", sizes.back(), ".npz");
    std::vector<int64_t> all = sizes;
    all.insert(all.begin(), kSamples);
    if (IsFloating(input.dtype) && sizes.size() >= 3 &&
        RealFileSystem().Exists(JoinPath(folder, file))) {
      ASSIGN_OR_RETURN(files, ReadFiles(folder, {file}));
      Scope scope(files);
      ASSIGN_OR_RETURN(const Definition picture, scope.Evaluate("u8"));
      ASSIGN_OR_RETURN(samples.inputs.emplace_back(), Fitted(input, picture));
    } else if (input.name.find("mask") != std::string::npos) {
      samples.inputs.push_back(at::ones(all, TypeOf(input.dtype)));
    } else {
      const int64_t range = IsFloating(input.dtype) ? 17 : Vocabulary(graph);
      at::Tensor numbers =
          at::arange(at::empty(all).numel()).mul(7919).remainder(10007).remainder(range);
      if (IsFloating(input.dtype)) numbers = at::div(numbers, range);
      samples.inputs.push_back(numbers.view(all).to(TypeOf(input.dtype)));
    }
  }
  const Value& target = graph.value(graph.target());
  std::vector<int64_t> sizes = SampleSizes(target.shape);
  sizes.insert(sizes.begin(), samples.inputs[0].dim() > 0 ? samples.inputs[0].size(0) : kSamples);
  Scope scope(files);
  if (target.dtype == DType::kInt64) {
    const int64_t classes =
        graph.value(graph.output()).shape[planner::ClassDimension(graph)].factor;
    const bool labelled = sizes.size() == 1 && scope.Labels().defined() && classes >= 10;
    const at::Tensor any =
        at::arange(at::empty(sizes).numel()).mul(31).remainder(classes).view(sizes);
    samples.target = labelled ? scope.Labels() : any;
  } else {
    samples.target = at::full(sizes, 0.5, at::kFloat);
  }
  samples.count = CountOf(samples);
  return samples;
}

planner::LossOptions LikelyLoss(const planner::Graph& graph) {
  const Value& output = graph.value(graph.output());
  const auto is = [&](absl::string_view op) {
    return output.producer != planner::kNoNode && graph.node(output.producer).op == op;
  };
  if (is("aten::log_softmax")) return {.kind = planner::LossKind::kNll};
  if (output.shape.size() == 4 && output.shape[1].factor < 2)
    return {.kind = planner::LossKind::kMse};
  if (output.shape.size() < 2 || output.shape.size() > 4) return {.kind = planner::LossKind::kMse};
  return {.kind = planner::LossKind::kCrossEntropy};
}

}  // namespace mantissa::model_replay
