// planner/cost/workspace.h
//
// Bytes that a task needs for itself beside what lasts: unpacked tiles, unpacked parameters, and
// the temporaries of LibTorch's operators.
//
//   for (const Moment& moment : WorkspacesOf(graph, tensors, schedule, 128, tiles)[task].packed)
//   ...
//
// The one place that knows how the engine runs each operator (server/engine/tile_*.cc), and how
// LibTorch does on the CPU; pure.

#ifndef MANTISSA_PLANNER_COST_WORKSPACE_H_
#define MANTISSA_PLANNER_COST_WORKSPACE_H_

#include <cstdint>
#include <vector>

#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/schedule/schedule.h"
#include "planner/schedule/tiles.h"

namespace mantissa::planner {

// A moment of a task, and what of that which the task takes and makes is there.
struct Moment {
  int64_t bytes = 0;
  bool takes = true;     // the gradients of its outputs
  bool stored = true;    // v or dv that it makes
  bool finished = true;  // gradients of parameters that it makes
  bool unpacked = true;  // parameters that it reads
};

struct Workspace {
  // Where the task's v and dv are packed: it runs tile by tile. While the first tile computes,
  // nothing that it makes is packed yet; where a convolution makes dv before dtheta, each in tiles
  // of its own, dv is there all through the second part. A tile that is the whole has dropped the
  // codes of the gradient that it has read.
  std::vector<Moment> packed;
  // Where all are stored as they are computed, and results are taken over without a copy.
  std::vector<Moment> as_computed;
  // For each parameter that is not stored as it is computed: its values unpacked.
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
