// planner/cost/workspace.h
//
// Bytes that a task needs for itself beside what lasts: unpacked tiles, unpacked parameters, and
// the temporaries of LibTorch's operators.
//
//   const std::vector<Workspace> of_task = WorkspacesOf(graph, tensors, schedule, 128, tiles);
//   int64_t bytes = of_task[task].compute;  // while its operator computes on a tile
//
// The one place that knows how the engine runs each operator (server/engine/tile_*.cc); pure.

#ifndef MANTISSA_PLANNER_COST_WORKSPACE_H_
#define MANTISSA_PLANNER_COST_WORKSPACE_H_

#include <cstdint>
#include <vector>

#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/schedule/schedule.h"
#include "planner/schedule/tiles.h"

namespace mantissa::planner {

// A task whose v and dv are packed goes through three moments, tile by tile: an operator computes
// from unpacked tiles; what it made is packed; when all tiles are done, gradients of parameters
// are. A task of one tile has not packed anything yet while it computes, and has dropped the codes
// of the gradient that it reads.
struct Workspace {
  int64_t compute = 0, store = 0, finish = 0;
  bool one_tile = true;
  // Where all v and dv are stored as they are computed: results are taken over without a copy.
  int64_t as_computed = 0;
  // Besides, to compute and store, for each parameter that is not stored as it is computed: its
  // values unpacked.
  struct Unpacked {
    int tensor = -1;  // theta
    int64_t bytes = 0;
  };
  std::vector<Unpacked> parameters;
};

// By task. O(nodes + edges).
std::vector<Workspace> WorkspacesOf(const Graph& graph, const TensorTable& tensors,
                                    const Schedule& schedule, int64_t batch_size,
                                    const TileOptions& options);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_WORKSPACE_H_
