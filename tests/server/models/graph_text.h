// tests/server/models/graph_text.h
//
// A graph as text, a line a value or operator, for goldens:
//
//   input x float32 [N, 3, 32, 32]
//   parameter conv.weight float32 [8, 3, 3, 3]
//   conv = aten::conv2d(input=x, weight=conv.weight, stride=[1, 1]) -> float32 [N, 8, 30, 30]
//   output conv

#ifndef MANTISSA_TESTS_SERVER_MODELS_GRAPH_TEXT_H_
#define MANTISSA_TESTS_SERVER_MODELS_GRAPH_TEXT_H_

#include <string>

#include "planner/graph/graph.h"

namespace mantissa::models {

std::string ToText(const planner::Graph& graph);

}  // namespace mantissa::models

#endif  // MANTISSA_TESTS_SERVER_MODELS_GRAPH_TEXT_H_
