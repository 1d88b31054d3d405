// planner/wire/memory_proto.h
//
// Forecasts of memory as messages of the API.
//
//   *message.mutable_memory() = StepMemoryToProto(plan.graph, plan.memory, /*with_timeline=*/true);
//
// Pure, thread-safe.

#ifndef MANTISSA_PLANNER_WIRE_MEMORY_PROTO_H_
#define MANTISSA_PLANNER_WIRE_MEMORY_PROTO_H_

#include "mantissa/v1/common.pb.h"
#include "planner/cost/memory.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

v1::MemoryBytes MemoryBytesToProto(const MemoryByKind& bytes);

// REQUIRES: `forecast` was made of `graph`. The timeline has a point a task and the update.
v1::StepMemory StepMemoryToProto(const Graph& graph, const MemoryForecast& forecast,
                                 bool with_timeline);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_WIRE_MEMORY_PROTO_H_
