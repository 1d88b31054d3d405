#include "planner/graph/gradient.h"

#include <algorithm>
#include <optional>
#include <string>
#include <variant>

#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

using Kind = GradientKind;

// The index of a place in a window is kept in a byte.
constexpr int64_t kMaxWindowElements = 256;
// at::Reduction::Mean.
constexpr int64_t kReductionMean = 1;

struct Row {
  const char* op;
  const char* overload;
  Kind kind;
};
constexpr Row kRows[] = {
    {"aten::conv2d", "", Kind::kConvolution},
    {"aten::linear", "", Kind::kLinear},
    {"aten::batch_norm", "", Kind::kBatchNorm},
    {"aten::relu", "", Kind::kRelu},
    {"aten::relu_", "", Kind::kRelu},
    {"aten::add", "Tensor", Kind::kAdd},
    {"aten::add_", "Tensor", Kind::kAdd},
    {"aten::cat", "", Kind::kCat},
    {"aten::slice", "Tensor", Kind::kSlice},
    {"aten::max_pool2d", "", Kind::kMaxPool},
    {"aten::avg_pool2d", "", Kind::kAveragePool},
    {"aten::log_softmax", "int", Kind::kLogSoftmax},
    {"aten::nll_loss", "", Kind::kNllLoss},
    {"mantissa::smoothed_nll_loss", "", Kind::kNllLoss},
};

// An integer argument; `otherwise` where it was left out, nothing where it is no integer.
std::optional<int64_t> Int(const Node& node, const char* name, int64_t otherwise) {
  const ArgumentValue* argument = FindArgument(node, name);
  if (argument == nullptr) return otherwise;
  const auto* number = std::get_if<int64_t>(argument);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

// `dim` of a node, counted from the front; -1 where it is not known.
int64_t Dimension(const Graph& graph, const Node& node) {
  const auto rank = static_cast<int64_t>(graph.value(node.outputs[0]).shape.size());
  const int64_t dim = Int(node, "dim", 0).value_or(rank);
  if (dim < -rank || dim >= rank) return -1;
  return dim < 0 ? dim + rank : dim;
}

int64_t WindowElements(const Node& node) {
  const ArgumentValue* argument = FindArgument(node, "kernel_size");
  const auto* sizes = argument == nullptr ? nullptr : std::get_if<std::vector<int64_t>>(argument);
  if (sizes == nullptr || sizes->empty()) return kMaxWindowElements + 1;
  return sizes->size() == 1 ? (*sizes)[0] * (*sizes)[0] : (*sizes)[0] * (*sizes)[1];
}

bool IsNone(const Node& node, const char* name) {
  const ArgumentValue* argument = FindArgument(node, name);
  return argument == nullptr || std::holds_alternative<std::monostate>(*argument);
}

bool IsTrue(const Node& node, const char* name) {
  const ArgumentValue* argument = FindArgument(node, name);
  const auto* flag = argument == nullptr ? nullptr : std::get_if<bool>(argument);
  return flag != nullptr && *flag;
}

bool HasInputAndWeight(const Node& node) {
  return FindValueArgument(node, "input") != kNoValue &&
         FindValueArgument(node, "weight") != kNoValue;
}

bool AddsEqualShapes(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const std::vector<ValueId> inputs = TensorInputs(graph, id);
  const Shape& shape = graph.value(node.outputs[0]).shape;
  return Int(node, "alpha", 1) == 1 && inputs.size() == 2 &&
         std::all_of(inputs.begin(), inputs.end(),
                     [&](ValueId input) { return graph.value(input).shape == shape; });
}

// Whether the arguments are such that the engine's own rule covers them.
bool Covers(const Graph& graph, NodeId id, Kind kind) {
  const Node& node = graph.node(id);
  const Shape& shape = graph.value(node.outputs[0]).shape;
  switch (kind) {
    case Kind::kConvolution:
      return shape.size() == 4 && HasInputAndWeight(node);
    case Kind::kLinear:
      return !shape.empty() && HasInputAndWeight(node);
    case Kind::kBatchNorm:
      return IsTrue(node, "training") && shape.size() >= 2 && HasInputAndWeight(node);
    case Kind::kAdd:
      return AddsEqualShapes(graph, id);
    case Kind::kMaxPool:
      return shape.size() == 4 && WindowElements(node) <= kMaxWindowElements;
    case Kind::kAveragePool:
      return shape.size() == 4;
    case Kind::kCat:
    case Kind::kSlice:
    case Kind::kLogSoftmax:
      return Dimension(graph, node) >= 0;
    case Kind::kNllLoss:
      return IsNone(node, "weight") && Int(node, "reduction", kReductionMean) == kReductionMean;
    default:
      return true;
  }
}

Kind KindOf(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (IsShapeOnly(graph, node)) return Kind::kView;
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return Kind::kReplay;
  for (const Row& row : kRows) {
    if (node.op == row.op && node.overload == row.overload && Covers(graph, id, row.kind)) {
      return row.kind;
    }
  }
  return Kind::kReplay;
}

TileAxis AxisOf(const Graph& graph, NodeId id, Kind kind) {
  const Node& node = graph.node(id);
  switch (kind) {
    case Kind::kConvolution:
    case Kind::kLinear:
    case Kind::kMaxPool:
    case Kind::kAveragePool:
      return graph.value(node.outputs[0]).shape[0].times_batch ? TileAxis::kBatch : TileAxis::kNone;
    case Kind::kCat:
    case Kind::kSlice:
    case Kind::kLogSoftmax:
      return Dimension(graph, node) > 0 ? TileAxis::kBatch : TileAxis::kNone;
    case Kind::kBatchNorm:
      return TileAxis::kChannel;
    case Kind::kRelu:
    case Kind::kAdd:
      return TileAxis::kFlat;
    default:
      return TileAxis::kNone;
  }
}

void AddOnce(ValueId value, std::vector<ValueId>& values) {
  if (value == kNoValue || std::find(values.begin(), values.end(), value) != values.end()) return;
  values.push_back(value);
}

}  // namespace

GradientRule GradientRuleOf(const Graph& graph, NodeId id,
                            const std::vector<bool>& needs_gradient) {
  const Node& node = graph.node(id);
  GradientRule rule{.kind = KindOf(graph, id)};
  rule.axis = AxisOf(graph, id, rule.kind);
  const ValueId input = FindValueArgument(node, "input");
  const ValueId weight = FindValueArgument(node, "weight");
  switch (rule.kind) {
    case Kind::kConvolution:
    case Kind::kLinear:
      if (needs_gradient[weight]) AddOnce(input, rule.reads);
      if (needs_gradient[input]) AddOnce(weight, rule.reads);
      rule.of_input_and_weight = needs_gradient[input] && needs_gradient[weight];
      break;
    case Kind::kBatchNorm:
      AddOnce(input, rule.reads);
      AddOnce(weight, rule.reads);
      break;
    case Kind::kLogSoftmax:
      AddOnce(node.outputs[0], rule.reads);
      break;
    case Kind::kReplay:
      for (const ValueId read : TensorInputs(graph, id)) AddOnce(read, rule.reads);
      break;
    default:
      break;
  }
  return rule;
}

int64_t KeptBytes(const Graph& graph, NodeId id, const GradientRule& rule, int64_t batch_size) {
  const Node& node = graph.node(id);
  if (node.outputs.empty() || node.outputs[0] == kNoValue) return 0;
  const Shape& shape = graph.value(node.outputs[0]).shape;
  switch (rule.kind) {
    case Kind::kRelu:
      return (Elements(shape, batch_size) + 7) / 8;
    case Kind::kMaxPool:
      return Elements(shape, batch_size);
    case Kind::kBatchNorm:
      return 2 * static_cast<int64_t>(sizeof(float)) * shape[1].At(batch_size);
    default:
      return 0;
  }
}

std::vector<bool> NeedsGradient(const Graph& graph) {
  std::vector<bool> needs(graph.values().size(), false);
  for (const ValueId parameter : graph.parameters()) needs[parameter] = true;
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const std::vector<ValueId> inputs = TensorInputs(graph, id);
    if (std::none_of(inputs.begin(), inputs.end(), [&](ValueId v) { return needs[v]; })) continue;
    for (const ValueId output : graph.node(id).outputs) {
      if (output != kNoValue && IsFloatingPoint(graph.value(output).dtype)) needs[output] = true;
    }
  }
  return needs;
}

}  // namespace mantissa::planner
