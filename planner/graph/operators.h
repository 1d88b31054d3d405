// planner/graph/operators.h
//
// What the planner needs to know of an operator: whether it makes a tensor, whether it is one of
// the matrix products that start a group, and where its arguments are.
//
//   if (IsGemm(node)) weight = FindValueArgument(node, "weight");
//
// All functions are pure and O(arguments).

#ifndef MANTISSA_PLANNER_GRAPH_OPERATORS_H_
#define MANTISSA_PLANNER_GRAPH_OPERATORS_H_

#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

// Whether `node` is a convolution or a linear layer: these start a group.
bool IsGemm(const Node& node);

// Whether `node` writes its result over its first input, as "aten::relu_" does. It makes a tensor
// of its own all the same; what is computed after it reads its output, not its input.
bool IsInPlace(const Node& node);

// Whether `node` only shows its input in another shape, so that it makes no tensor.
bool IsShapeOnly(const Graph& graph, const Node& node);

// Whether what such a node shows is in the memory of its input. Elements are stored in order, so
// moving dimensions copies them.
bool SharesItsInput(const Graph& graph, const Node& node);

// Whether values of `dtype` are rounded by an assignment.
bool IsFloatingPoint(DType dtype);

// The argument of that name; nullptr where it was left out.
const ArgumentValue* FindArgument(const Node& node, absl::string_view name);

// The value passed as that argument; kNoValue where it was left out or is None or no single value.
ValueId FindValueArgument(const Node& node, absl::string_view name);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_OPERATORS_H_
