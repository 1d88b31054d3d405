// planner/policies/context.h
//
// What a policy may look at besides the graph: the memory of a step, and a limit on it.
//
//   PolicyContext context{.memory = MemoryOptionsOf(request), .memory_bytes =
//   request.memory_bytes};

#ifndef MANTISSA_PLANNER_POLICIES_CONTEXT_H_
#define MANTISSA_PLANNER_POLICIES_CONTEXT_H_

#include <cstdint>

#include "planner/cost/memory.h"

namespace mantissa::planner {

struct PolicyContext {
  MemoryOptions memory;
  // Most bytes of a step; 0: no limit. The planner stops a policy with an order where a step fits;
  // here it is for the explanation.
  int64_t memory_bytes = 0;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_CONTEXT_H_
