#include "planner/graph/sample_wise.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <variant>

#include "absl/strings/string_view.h"
#include "planner/graph/operator_table.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

// The dimensions that `node` is told to work along: "dim" or "dims"; empty where it is not told.
std::vector<int64_t> DimensionsOf(const Node& node) {
  for (const char* name : {"dim", "dims"}) {
    const ArgumentValue* argument = FindArgument(node, name);
    if (argument == nullptr) continue;
    if (const auto* one = std::get_if<int64_t>(argument)) return {*one};
    if (const auto* several = std::get_if<std::vector<int64_t>>(argument)) return *several;
  }
  return {};
}

// Operators along a dimension, which is 0 unless they are told.
bool NeedsDimension(absl::string_view op) {
  constexpr absl::string_view kAlong[] = {"aten::select", "aten::narrow", "aten::stack",
                                          "aten::split",  "aten::chunk",  "aten::split_with_sizes",
                                          "aten::unbind", "aten::slice",  "aten::cat"};
  return std::find(std::begin(kAlong), std::end(kAlong), op) != std::end(kAlong);
}

bool TellsTheBatch(const Node& node) {
  const auto depends = [](const Dim& dim) { return dim.times_batch; };
  return std::any_of(node.args.begin(), node.args.end(), [&](const Argument& argument) {
    if (const auto* dim = std::get_if<Dim>(&argument.value)) return depends(*dim);
    const auto* shape = std::get_if<Shape>(&argument.value);
    return shape != nullptr && std::any_of(shape->begin(), shape->end(), depends);
  });
}

bool HasSamples(const Shape& shape, const Dim& samples) {
  return !shape.empty() && shape[0] == samples;
}

// Whether `value` is wanted whole by each tile: the tiles' gradients of a parameter are added up,
// those of other values are not.
bool CanStayWhole(const Graph& graph, ValueId id, const std::vector<bool>& needs_gradient) {
  const Shape& shape = graph.value(id).shape;
  if (std::any_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.times_batch; })) {
    return false;
  }
  const bool is_parameter = graph.value(ResolveView(graph, id)).kind == ValueKind::kParameter;
  return is_parameter || !needs_gradient[id];
}

bool WorksAlongSamples(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const std::vector<ValueId> inputs = TensorInputs(graph, id);
  const auto rank = static_cast<int64_t>(graph.value(inputs[0]).shape.size());
  const std::vector<int64_t> dims = DimensionsOf(node);
  if (dims.empty()) return NeedsDimension(node.op);
  return std::any_of(dims.begin(), dims.end(),
                     [&](int64_t dim) { return dim == 0 || dim <= -rank; });
}

}  // namespace

bool IsBatchFirst(const Graph& graph, ValueId value) {
  const Shape& shape = graph.value(value).shape;
  return !shape.empty() && shape[0].times_batch;
}

bool IsSampleWise(const Graph& graph, NodeId id, const std::vector<bool>& needs_gradient) {
  const Node& node = graph.node(id);
  const std::vector<ValueId> inputs = TensorInputs(graph, id);
  if (!TraitsOf(node.op).sample_wise || IsRandom(node) || TellsTheBatch(node)) return false;
  if (inputs.empty() || node.outputs[0] == kNoValue) return false;
  if (!IsBatchFirst(graph, node.outputs[0]) || WorksAlongSamples(graph, id)) return false;
  const Shape& made = graph.value(node.outputs[0]).shape;
  const Dim samples = made[0];
  for (const ValueId output : node.outputs) {
    if (output != kNoValue && !HasSamples(graph.value(output).shape, samples)) return false;
  }
  const auto has_samples = [&](ValueId input) {
    return HasSamples(graph.value(input).shape, samples);
  };
  const auto cut = std::count_if(inputs.begin(), inputs.end(), has_samples);
  return cut > 0 && std::all_of(inputs.begin(), inputs.end(), [&](ValueId input) {
           // Several are broadcast from their last dimension on.
           if (has_samples(input))
             return cut == 1 || graph.value(input).shape.size() == made.size();
           return CanStayWhole(graph, input, needs_gradient);
         });
}

}  // namespace mantissa::planner
