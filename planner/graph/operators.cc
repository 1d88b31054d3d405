#include "planner/graph/operators.h"

#include <variant>

#include "absl/strings/match.h"
#include "planner/graph/operator_table.h"

namespace mantissa::planner {
namespace {

const ArgumentValue* Given(const Node& node, absl::string_view name) {
  return IsNone(node, name) ? nullptr : FindArgument(node, name);
}

bool IsZero(const ArgumentValue& argument) {
  if (const auto* number = std::get_if<double>(&argument)) return *number == 0;
  if (const auto* number = std::get_if<int64_t>(&argument)) return *number == 0;
  return false;
}

}  // namespace

bool IsInPlace(const Node& node) {
  // "aten::__and__" and its like end in two and are not in place.
  return absl::EndsWith(node.op, "_") && !absl::EndsWith(node.op, "__");
}

bool IsShapeOnly(const Graph& graph, const Node& node) {
  return node.outputs.size() == 1 && node.outputs[0] != kNoValue &&
         graph.value(node.outputs[0]).alias_of != kNoValue && !IsInPlace(node);
}

bool SharesItsInput(const Graph& graph, const Node& node) {
  return IsShapeOnly(graph, node) && !TraitsOf(node.op).reorders;
}

bool IsRandom(const Node& node) {
  if (!TraitsOf(node.op).random) return false;
  const ArgumentValue* train = Given(node, "train");
  if (train != nullptr && std::holds_alternative<bool>(*train) && !std::get<bool>(*train)) {
    return false;
  }
  // Attention's is 0 where it is left out.
  if (node.op == "aten::scaled_dot_product_attention" && Given(node, "dropout_p") == nullptr) {
    return false;
  }
  for (const char* name : {"p", "dropout_p", "dropout"}) {
    const ArgumentValue* probability = Given(node, name);
    if (probability != nullptr && IsZero(*probability)) return false;
  }
  return true;
}

bool IsFloatingPoint(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kFloat64:
    case DType::kFloat16:
    case DType::kBFloat16:
      return true;
    case DType::kInt64:
    case DType::kInt32:
    case DType::kUInt8:
    case DType::kBool:
      return false;
  }
  return false;
}

std::vector<ValueId> ValueInputs(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const OperatorTraits& traits = TraitsOf(node.op);
  std::vector<ValueId> inputs;
  for (const Argument& argument : node.args) {
    if (!traits.OnlyItsShape(argument.name)) AppendValues(argument, inputs);
  }
  return inputs;
}

ValueId ResolveView(const Graph& graph, ValueId id) {
  while (true) {
    const Value& value = graph.value(id);
    if (value.producer == kNoNode || !IsShapeOnly(graph, graph.node(value.producer))) return id;
    id = value.alias_of;
  }
}

const ArgumentValue* FindArgument(const Node& node, absl::string_view name) {
  for (const Argument& argument : node.args) {
    if (argument.name == name) return &argument.value;
  }
  return nullptr;
}

bool IsNone(const Node& node, absl::string_view name) {
  const ArgumentValue* argument = FindArgument(node, name);
  return argument == nullptr || std::holds_alternative<std::monostate>(*argument);
}

bool IsTrue(const Node& node, absl::string_view name) {
  const ArgumentValue* argument = FindArgument(node, name);
  const auto* flag = argument == nullptr ? nullptr : std::get_if<bool>(argument);
  return flag != nullptr && *flag;
}

ValueId FindValueArgument(const Node& node, absl::string_view name) {
  const ArgumentValue* argument = FindArgument(node, name);
  if (argument == nullptr) return kNoValue;
  const auto* ref = std::get_if<ValueRef>(argument);
  return ref == nullptr ? kNoValue : ref->id;
}

std::vector<ValueId> FindValueArguments(const Node& node, absl::string_view name) {
  std::vector<ValueId> values;
  for (const Argument& argument : node.args) {
    if (argument.name == name) AppendValues(argument, values);
  }
  return values;
}

}  // namespace mantissa::planner
