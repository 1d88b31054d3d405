// planner/cost/replay.h
//
// What LibTorch's operators need on the CPU beside what they read and make, where the engine has no
// way of its own and replays them: attention that keeps its scores, recurrent layers that keep
// their gates, products of unlike shapes. Found by measuring.
//
//   const ReplayBytes bytes = ReplayBytesOf(graph, node, needs_gradient, 32, tiles, /*wide=*/4);
//
// Pure.

#ifndef MANTISSA_PLANNER_COST_REPLAY_H_
#define MANTISSA_PLANNER_COST_REPLAY_H_

#include <cstdint>
#include <vector>

#include "planner/graph/graph.h"
#include "planner/schedule/tiles.h"

namespace mantissa::planner {

struct ReplayBytes {
  int64_t forward = 0;
  int64_t backward = 0;  // with what the forward computation has left for it
};

// Of one of `tiles`, in elements of `wide` bytes. `needs_gradient` by value.
ReplayBytes ReplayBytesOf(const Graph& graph, NodeId node, const std::vector<bool>& needs_gradient,
                          int64_t batch_size, const Tiles& tiles, int64_t wide);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_REPLAY_H_
