#include "planner/graph/gradient.h"

#include <algorithm>
#include <optional>
#include <string>
#include <variant>

#include "planner/graph/operators.h"
#include "planner/graph/sample_wise.h"

namespace mantissa::planner {
namespace {

using Kind = GradientKind;

// The index of a place in a window is kept in a byte.
constexpr int64_t kMaxWindowElements = 256;
// at::Reduction::Mean.
constexpr int64_t kReductionMean = 1;

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
      // The other overload tells its padding by name.
      return shape.size() == 4 && node.overload.empty() && HasInputAndWeight(node);
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
    case Kind::kNllLoss: {
      const std::vector<ValueId> inputs = TensorInputs(graph, id);
      return !inputs.empty() && graph.value(inputs[0]).shape.size() == 2 &&
             IsNone(node, "weight") && Int(node, "reduction", kReductionMean) == kReductionMean;
    }
    case Kind::kDropout:
      return IsRandom(node);
    default:
      return true;
  }
}

Kind KindOf(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (IsShapeOnly(graph, node)) return Kind::kView;
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return Kind::kReplay;
  const Kind kind = TraitsOf(node.op).kind;
  return kind != Kind::kReplay && Covers(graph, id, kind) ? kind : Kind::kReplay;
}

TileAxis AxisOf(const Graph& graph, NodeId id, Kind kind, const std::vector<bool>& needs_gradient) {
  const Node& node = graph.node(id);
  switch (kind) {
    case Kind::kConvolution:
    case Kind::kLinear:
    case Kind::kMaxPool:
    case Kind::kAveragePool:
      return IsBatchFirst(graph, node.outputs[0]) ? TileAxis::kBatch : TileAxis::kNone;
    case Kind::kCat:
    case Kind::kSlice:
    case Kind::kLogSoftmax:
      return Dimension(graph, node) > 0 && IsBatchFirst(graph, node.outputs[0]) ? TileAxis::kBatch
                                                                                : TileAxis::kNone;
    case Kind::kNllLoss:
      // Of its first input.
      return IsBatchFirst(graph, TensorInputs(graph, id)[0]) ? TileAxis::kBatch : TileAxis::kNone;
    case Kind::kBatchNorm:
      return TileAxis::kChannel;
    case Kind::kRelu:
    case Kind::kAdd:
    case Kind::kDropout:
      return TileAxis::kFlat;
    case Kind::kReplay:
      return IsSampleWise(graph, id, needs_gradient) ? TileAxis::kBatch : TileAxis::kNone;
    default:
      return TileAxis::kNone;
  }
}

void AddOnce(ValueId value, std::vector<ValueId>& values) {
  if (value == kNoValue || std::find(values.begin(), values.end(), value) != values.end()) return;
  values.push_back(value);
}

void AddReadsOfTable(const Graph& graph, NodeId id, const std::vector<bool>& needs_gradient,
                     std::vector<ValueId>& reads) {
  const Node& node = graph.node(id);
  const OperatorTraits& traits = TraitsOf(node.op);
  if (!traits.known) {
    for (const ValueId read : TensorInputs(graph, id)) AddOnce(read, reads);
    return;
  }
  for (const ArgumentRead& read : traits.reads) {
    const std::vector<ValueId> asked = FindValueArguments(node, read.for_gradient_of);
    const bool is_read = read.for_gradient_of.empty() ||
                         std::any_of(asked.begin(), asked.end(),
                                     [&](ValueId value) { return needs_gradient[value]; });
    if (!is_read) continue;
    for (const ValueId value : FindValueArguments(node, read.argument)) AddOnce(value, reads);
  }
}

}  // namespace

GradientRule GradientRuleOf(const Graph& graph, NodeId id,
                            const std::vector<bool>& needs_gradient) {
  const Node& node = graph.node(id);
  GradientRule rule{.kind = KindOf(graph, id)};
  rule.axis = AxisOf(graph, id, rule.kind, needs_gradient);
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
    case Kind::kNllLoss:  // its labels, which may be a view of the target
    case Kind::kReplay:
      AddReadsOfTable(graph, id, needs_gradient, rule.reads);
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
    case Kind::kDropout:
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
  for (const ValueId parameter : graph.parameters())
    needs[parameter] = !graph.value(parameter).frozen;
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = graph.node(id);
    if (TraitsOf(node.op).stops_gradient) continue;
    const std::vector<ValueId> inputs = ValueInputs(graph, id);
    if (std::none_of(inputs.begin(), inputs.end(), [&](ValueId v) { return needs[v]; })) continue;
    for (const ValueId output : node.outputs) {
      if (output != kNoValue && IsFloatingPoint(graph.value(output).dtype)) needs[output] = true;
    }
  }
  return needs;
}

}  // namespace mantissa::planner
