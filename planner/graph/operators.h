// planner/graph/operators.h
//
// What a node does, from its operator (operator_table.h) and its arguments: whether it makes a
// tensor, whether it draws random numbers, and where its arguments are.
//
//   if (!IsShapeOnly(graph, node)) weight = FindValueArgument(node, "weight");
//
// All functions are pure and O(arguments).

#ifndef MANTISSA_PLANNER_GRAPH_OPERATORS_H_
#define MANTISSA_PLANNER_GRAPH_OPERATORS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

// Whether `node` writes its result over its first input, as "aten::relu_" does. It makes a tensor
// of its own all the same; what is computed after it reads its output, not its input.
bool IsInPlace(const Node& node);

// Whether `node` only shows its input in another shape, so that it makes no tensor.
bool IsShapeOnly(const Graph& graph, const Node& node);

// Whether what such a node shows is in the memory of its input. Elements are stored in order, so
// moving dimensions copies them.
bool SharesItsInput(const Graph& graph, const Node& node);

// Whether `node` draws random numbers in training: dropout, for instance, unless p is 0.
bool IsRandom(const Node& node);

// Whether values of `dtype` can be rounded by an assignment, and can have a gradient.
bool IsFloatingPoint(DType dtype);

// Reads of `node` whose values matter, not only shape and type (the `other` of expand_as, the
// `self` of zeros_like): TensorInputs() without those.
std::vector<ValueId> ValueInputs(const Graph& graph, NodeId node);

// The value that `id` shows, seen through shape-only nodes: itself if it is no view.
ValueId ResolveView(const Graph& graph, ValueId id);

// The argument of that name; nullptr where it was left out.
const ArgumentValue* FindArgument(const Node& node, absl::string_view name);

// Whether the argument of that name was left out or is None; whether it is a flag that is set.
bool IsNone(const Node& node, absl::string_view name);
bool IsTrue(const Node& node, absl::string_view name);

// The value passed as that argument; kNoValue where it was left out or is None or no single value.
ValueId FindValueArgument(const Node& node, absl::string_view name);

// All values in an argument, one or a list; none where it was left out or is no value.
std::vector<ValueId> FindValueArguments(const Node& node, absl::string_view name);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_OPERATORS_H_
