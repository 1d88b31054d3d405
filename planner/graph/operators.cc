#include "planner/graph/operators.h"

#include <algorithm>
#include <iterator>
#include <variant>

#include "absl/strings/match.h"

namespace mantissa::planner {
namespace {

constexpr absl::string_view kGemms[] = {
    "aten::conv1d",           "aten::conv2d",           "aten::conv3d",
    "aten::convolution",      "aten::conv_transpose1d", "aten::conv_transpose2d",
    "aten::conv_transpose3d", "aten::linear",           "aten::addmm",
};

}  // namespace

bool IsGemm(const Node& node) {
  return std::find(std::begin(kGemms), std::end(kGemms), node.op) != std::end(kGemms);
}

bool IsInPlace(const Node& node) {
  // "aten::__and__" and its like end in two and are not in place.
  return absl::EndsWith(node.op, "_") && !absl::EndsWith(node.op, "__");
}

bool IsShapeOnly(const Graph& graph, const Node& node) {
  return !node.outputs.empty() && graph.value(node.outputs[0]).alias_of != kNoValue &&
         !IsInPlace(node);
}

bool SharesItsInput(const Graph& graph, const Node& node) {
  const bool copies =
      node.op == "aten::permute" || node.op == "aten::transpose" || node.op == "aten::t";
  return IsShapeOnly(graph, node) && !copies;
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

const ArgumentValue* FindArgument(const Node& node, absl::string_view name) {
  for (const Argument& argument : node.args) {
    if (argument.name == name) return &argument.value;
  }
  return nullptr;
}

ValueId FindValueArgument(const Node& node, absl::string_view name) {
  const ArgumentValue* argument = FindArgument(node, name);
  if (argument == nullptr) return kNoValue;
  const auto* ref = std::get_if<ValueRef>(argument);
  return ref == nullptr ? kNoValue : ref->id;
}

}  // namespace mantissa::planner
