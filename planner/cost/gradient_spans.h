// planner/cost/gradient_spans.h
//
// Which gradient is held from which backward task of a step to which.
//
//   for (const MemorySpan& span : GradientSpansOf(graph, tensors, schedule, 128)) Add(span);
//
// dv lives to the backward task of its producer, a part a consumer; dtheta to the update.

#ifndef MANTISSA_PLANNER_COST_GRADIENT_SPANS_H_
#define MANTISSA_PLANNER_COST_GRADIENT_SPANS_H_

#include <cstdint>
#include <vector>

#include "planner/cost/memory_span.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/schedule/schedule.h"

namespace mantissa::planner {

// O(nodes + edges).
std::vector<MemorySpan> GradientSpansOf(const Graph& graph, const TensorTable& tensors,
                                        const Schedule& schedule, int64_t batch_size);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_GRADIENT_SPANS_H_
