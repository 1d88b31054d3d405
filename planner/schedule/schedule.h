// planner/schedule/schedule.h
//
// The order in which a step runs its operators, forward and backward, and when each tensor dies.
// The engine runs it, the memory model adds it up: what is predicted is what happens.
//
//   const Schedule schedule = MakeSchedule(graph, tensors, {.training = true});
//   for (const Task& task : schedule.tasks) Run(task);
//
// Between two tasks a tensor exists once, packed: v from the task that makes it to the last that
// reads it, forward or backward; theta's rounded copy from its first to its last use in the
// forward pass, and again, made once more with the same bits, in the backward pass; what a node
// keeps (masks, indices, statistics) from its forward to its backward task; dv from the backward
// task of a consumer to that of its producer, one part a consumer, since the sum of rounded
// gradients fits no format; dtheta from its backward task to the end. Wide values live inside a
// task only.
//
// A view, the output of a shape-only node, has a lifetime of its own: it shares the memory of what
// it shows, which is free when all of them have died. One of a parameter is made again in the
// backward pass, as the rounded copy is that it shows. In-place operators are run out of place:
// what they read and what they make are two tensors.
//
// A value that is recomputed dies after its last forward use; before the backward task that reads
// it, tasks of kind kRecompute make it and what it is computed from once more. Recomputing gives
// the same bits (random rounding is by counter), makes nothing that is kept, and moves no
// statistics.
//
// Pure; O(nodes + edges), with recomputing O(nodes * depth).

#ifndef MANTISSA_PLANNER_SCHEDULE_SCHEDULE_H_
#define MANTISSA_PLANNER_SCHEDULE_SCHEDULE_H_

#include <cstdint>
#include <vector>

#include "planner/graph/gradient.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"

namespace mantissa::planner {

struct Task {
  enum class Kind { kForward, kRecompute, kBackward };
  Kind kind = Kind::kForward;
  NodeId node = kNoNode;
  // Parameters whose rounded copy is made before the task: their first use in a pass.
  std::vector<ValueId> round_parameters;
  // What dies with the task, each as often as it was made.
  std::vector<ValueId> release_values;      // the input, and outputs of nodes, views among them
  std::vector<ValueId> release_parameters;  // rounded copies
  // Of the task's own node: what it kept has been used up, or nobody will ask for it.
  std::vector<NodeId> release_kept;
  // A backward task also uses up the gradients of its node's outputs.
};

struct ScheduleOptions {
  // False: forward only, nothing is kept.
  bool training = true;
  // By value: v's that are computed again instead of saved. Empty: none.
  std::vector<bool> recompute;
};

struct Schedule {
  ScheduleOptions options;
  std::vector<GradientRule> rules;   // by node
  std::vector<bool> needs_gradient;  // by value
  std::vector<Task> tasks;
  int forward_tasks = 0;  // the first so many are forward
  // The input and outputs of nodes, views among them, that are alive when the forward pass has
  // ended, in order of their ids. The graph's output and loss live until then, and no longer unless
  // backward reads them.
  std::vector<ValueId> saved;
};

// REQUIRES: recompute is empty or by value, and true only for values that CanRecompute().
Schedule MakeSchedule(const Graph& graph, const TensorTable& tensors,
                      const ScheduleOptions& options);

// By value: v's of operators that are cheap to run again and that make the same again (table of
// operators): norms, what works element by element, concatenation, slices, pooling.
std::vector<bool> CanRecompute(const Graph& graph, const TensorTable& tensors);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_SCHEDULE_SCHEDULE_H_
