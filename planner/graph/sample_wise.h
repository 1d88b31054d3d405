// planner/graph/sample_wise.h
//
// Whether a node can run on some of the samples of a batch at a time.
//
//   if (IsSampleWise(graph, node, needs_gradient)) axis = TileAxis::kBatch;
//
// Pure.

#ifndef MANTISSA_PLANNER_GRAPH_SAMPLE_WISE_H_
#define MANTISSA_PLANNER_GRAPH_SAMPLE_WISE_H_

#include <vector>

#include "planner/graph/graph.h"

namespace mantissa::planner {

// Whether dimension 0 of `value` is the batch's.
bool IsBatchFirst(const Graph& graph, ValueId value);

// Whether some of the samples of what `node` reads give those samples of what it makes, for an
// operator that the table says so of: it works along other dimensions, and what it reads has the
// samples or is the same for all. `needs_gradient` by value.
bool IsSampleWise(const Graph& graph, NodeId node, const std::vector<bool>& needs_gradient);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_SAMPLE_WISE_H_
