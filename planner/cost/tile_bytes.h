// planner/cost/tile_bytes.h
//
// Bytes of the wide tiles of one node.
//
//   const TileBytes tile = TileBytesOf(graph, tensors, schedule, node, tiles, 128, /*wide=*/4);
//   int64_t forward = tile.inputs + tile.output + tile.replay.forward;
//
// Pure.

#ifndef MANTISSA_PLANNER_COST_TILE_BYTES_H_
#define MANTISSA_PLANNER_COST_TILE_BYTES_H_

#include <cstdint>

#include "planner/cost/replay.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/schedule/schedule.h"
#include "planner/schedule/tiles.h"

namespace mantissa::planner {

struct TileBytes {
  int64_t inputs = 0, largest_input = 0;  // of v's
  int64_t read = 0, wanted = 0;           // of those that backward reads, that have a gradient
  int64_t output = 0;
  int64_t output_elements = 0;
  int64_t samples = 0;
  ReplayBytes replay;  // where it is replayed
};

// Of one of `tiles`, in elements of `wide` bytes.
TileBytes TileBytesOf(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
                      NodeId node, const Tiles& tiles, int64_t batch_size, int64_t wide);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_TILE_BYTES_H_
