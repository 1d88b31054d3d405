// A graph of any length for measuring the planner: blocks of convolution, batch norm, ReLU and a
// concatenation with what came before. Channels vary, so that groups have many sizes.
//
//   const Graph graph = SyntheticGraph(/*operators=*/100'000);

#ifndef MANTISSA_TESTS_BENCH_PLANNER_SYNTHETIC_GRAPH_H_
#define MANTISSA_TESTS_BENCH_PLANNER_SYNTHETIC_GRAPH_H_

#include <cstdint>

#include "planner/graph/graph.h"

namespace mantissa::planner {

// A multiple of 4 operators, rounded up.
Graph SyntheticGraph(int64_t operators);

// Everything that planning does with a graph, by demotion at 0.5; returns the bits.
int64_t PlanBits(const Graph& graph);

}  // namespace mantissa::planner

#endif  // MANTISSA_TESTS_BENCH_PLANNER_SYNTHETIC_GRAPH_H_
