#include "tests/models/guesses.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <variant>

#include "ATen/Functions.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "planner/graph/operators.h"
#include "server/engine/operator_call.h"
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

// Inputs that are tokens, not masks or positions.
std::vector<planner::ValueId> TokenInputs(const planner::Graph& graph) {
  std::vector<planner::ValueId> tokens;
  for (const planner::ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    if (input.dtype == DType::kInt64 && !IsCustomary(input)) tokens.push_back(id);
  }
  return tokens;
}

// Elements of a sample in the file that is meant where none is named.
int64_t SampleElements(const Files& files) {
  if (files.empty() || files[0].second.empty()) return 0;
  const auto x = files[0].second.find("x");
  const at::Tensor& array =
      x == files[0].second.end() ? files[0].second.begin()->second : x->second;
  return array.size(0) == 0 ? 0 : array.numel() / array.size(0);
}

// "all[:, a:b]" with `length` tokens, from the places where a model's inputs and targets begin.
std::vector<std::string> Windows(const planner::Graph& graph, int64_t length, int64_t all) {
  std::set<int64_t> starts = {0, 1, all - length};
  const std::vector<planner::ValueId> tokens = TokenInputs(graph);
  if (!tokens.empty()) {
    const std::vector<int64_t> first = SampleSizes(graph.value(tokens[0]).shape);
    if (!first.empty()) starts.insert({first[0], first[0] + 1});
  }
  std::vector<std::string> windows;
  for (const int64_t start : starts) {
    if (start >= 0 && start + length <= all)
      windows.push_back(absl::StrCat("all[:, ", start, ":", start + length, "]"));
  }
  return windows;
}

// The inputs cut out of all tokens of a sample, for each way in which bytes become tokens.
std::vector<std::string> InputTexts(const planner::Graph& graph, const Files& files) {
  const std::vector<planner::ValueId> tokens = TokenInputs(graph);
  if (tokens.empty()) return {"all = u8; x = all"};
  const int64_t vocabulary = Vocabulary(graph), all = SampleElements(files);
  std::vector<std::string> texts;
  for (const std::string& token :
       {std::string("u8 // 16"), std::string("u8"), std::string("round(u8 * 16 / 255)"),
        std::string("u8 // 8"), std::string("u8 // 32"), std::string("u8 > 127"),
        absl::StrCat("u8 % ", vocabulary), absl::StrCat("u8 * ", vocabulary, " // 256")})
    texts.push_back(absl::StrCat("all = flatten(", token, ")"));
  for (const planner::ValueId id : tokens) {
    const Value& input = graph.value(id);
    const std::vector<int64_t> sizes = SampleSizes(input.shape);
    if (sizes.size() != 1) continue;
    std::vector<std::string> longer;
    for (const std::string& text : texts) {
      for (const std::string& window : Windows(graph, sizes[0], all)) {
        longer.push_back(absl::StrCat(text, "; ", input.name, " = ", window));
        // What a decoder reads: a start token and all but the last.
        if (id != tokens[0])
          longer.push_back(absl::StrCat(text, "; ", input.name, " = shift_right(", window, ")"));
      }
    }
    texts = std::move(longer);
  }
  return texts;
}

std::vector<std::string> TargetTexts(const planner::Graph& graph, const Files& files) {
  std::vector<std::string> targets = {"labels",    "all shifted left", "u8 > 127", "u8 > 0",
                                      "u8 // 128", "u8 // 64",         "u8 // 32"};
  const std::vector<int64_t> sizes = SampleSizes(graph.value(graph.target()).shape);
  if (sizes.size() == 1 && !TokenInputs(graph).empty()) {
    targets = Windows(graph, sizes[0], SampleElements(files));
    targets.push_back("all shifted left");
  }
  for (const auto& [stem, arrays] : files) targets.push_back(stem);
  return targets;
}

}  // namespace

std::optional<Samples> OtherReading(const planner::Graph& graph, const RecordedModel& recorded,
                                    const Files& files,
                                    const std::function<bool(const Samples&)>& fits) {
  const bool takes_tokens = !TokenInputs(graph).empty();
  const int64_t vocabulary = Vocabulary(graph);
  for (const std::string& input : InputTexts(graph, files)) {
    for (const std::string& target : TargetTexts(graph, files)) {
      RecordedModel other = recorded;
      other.data_text = absl::StrCat(input, "; target = ", target);
      auto samples = SamplesOf(graph, other, files);
      if (!samples.ok()) continue;
      if (takes_tokens && samples->inputs[0].max().item<int64_t>() >= vocabulary) break;
      samples->how = absl::StrCat("the data text is taken for \"", other.data_text, "\"");
      if (fits(*samples)) return *std::move(samples);
    }
  }
  return std::nullopt;
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
    if (planner::IsFloatingPoint(input.dtype) && sizes.size() >= 3 &&
        RealFileSystem().Exists(JoinPath(folder, file))) {
      ASSIGN_OR_RETURN(files, ReadFiles(folder, {file}));
      Scope scope(files);
      ASSIGN_OR_RETURN(const Definition picture, scope.Evaluate("u8"));
      ASSIGN_OR_RETURN(samples.inputs.emplace_back(), Fitted(input, picture));
    } else if (absl::StrContains(input.name, "mask")) {
      samples.inputs.push_back(at::ones(all, engine::ScalarTypeOf(input.dtype)));
    } else {
      const int64_t range = planner::IsFloatingPoint(input.dtype) ? 17 : Vocabulary(graph);
      at::Tensor numbers =
          at::arange(at::empty(all).numel()).mul(7919).remainder(10007).remainder(range);
      if (planner::IsFloatingPoint(input.dtype)) numbers = at::div(numbers, range);
      samples.inputs.push_back(numbers.view(all).to(engine::ScalarTypeOf(input.dtype)));
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
