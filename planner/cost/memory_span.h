// planner/cost/memory_span.h
//
// Something that takes memory from one task of a step to another.
//
//   spans.push_back({.first = 3, .last = 40, .tensor = v, .size = elements});

#ifndef MANTISSA_PLANNER_COST_MEMORY_SPAN_H_
#define MANTISSA_PLANNER_COST_MEMORY_SPAN_H_

#include <cstdint>

#include "planner/cost/memory_kind.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

// From the beginning of the first task to the end of the last.
struct MemorySpan {
  int first = 0, last = 0;  // points: tasks, then the optimizer's update
  MemoryKind kind = MemoryKind::kActivations;
  // Whose format says how many bytes an element has; -1: `size` counts bytes.
  int tensor = -1;
  int64_t size = 0;
  // Only where v and dv of this node's are all stored as they are computed, or only where not.
  NodeId node = kNoNode;
  bool as_computed = false;
  // Takes no memory in fp32: the engine has the values elsewhere already.
  bool free_in_fp32 = false;
  // When in its first task it is made, and whether in its last it is used up by being read: see
  // Workspace.
  enum class Made { kBefore, kStored, kFinished };
  Made made = Made::kBefore;
  bool used_up = false;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_MEMORY_SPAN_H_
