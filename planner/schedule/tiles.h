// planner/schedule/tiles.h
//
// How a task is cut into tiles, so that no whole wide tensor ever exists beside the packed ones: a
// tile's inputs are unpacked, computed with, rounded and packed before the next one's.
//
//   const Tiles tiles = TilesOf(graph, task.node, rule, formats..., options);
//   for (int64_t begin = 0; begin < tiles.extent; begin += tiles.size) ...
//
// A task all of whose v and dv are stored as they are computed (fp32 in the paper's recipe) has one
// tile: there is nothing to unpack, and results are taken over without a copy. The cut depends on
// formats and sizes alone, so that packed and emulated storage give the same bits.

#ifndef MANTISSA_PLANNER_SCHEDULE_TILES_H_
#define MANTISSA_PLANNER_SCHEDULE_TILES_H_

#include <cstdint>
#include <vector>

#include "kernels/formats/format.h"
#include "planner/graph/gradient.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"

namespace mantissa::planner {

struct TileOptions {
  // What is computed with: fp32, or bf16 in the bf16 recipe.
  kernels::Format wide = kernels::kFp32;
  // Most bytes of the widest tensor of a tile; at least one unit of the axis is taken. Where the
  // node has a larger parameter, its wide bytes: each tile makes a whole gradient of it, so smaller
  // tiles would save nothing (but see InputGradientTilesOf()). The default stays in a core's cache.
  int64_t tile_bytes = int64_t{2} << 20;
};

// On a GPU a tile must be worth the launches of its kernels.
inline constexpr int64_t kGpuTileBytes = int64_t{64} << 20;

struct Tiles {
  TileAxis axis = TileAxis::kNone;
  int64_t extent = 1;  // along the axis: samples, channels or elements
  int64_t size = 1;    // of a tile; the last may be smaller
  int64_t count() const { return (extent + size - 1) / size; }
};

// `formats` by index into tensors.tensors(). Flat tiles are multiples of 1024 elements.
Tiles TilesOf(const Graph& graph, const TensorTable& tensors, NodeId node, const GradientRule& rule,
              const std::vector<kernels::Format>& formats, int64_t batch_size,
              const TileOptions& options);

// The tiles in which the backward task of a convolution or linear layer makes the gradient of its
// input. Where they are smaller than TilesOf() it is made first and by itself, so that the wide
// weight and the wide gradient of the weight are not there together. Those of TilesOf() for any
// other node, and where the gradient of the input or of the weight is not asked for.
Tiles InputGradientTilesOf(const Graph& graph, const TensorTable& tensors, NodeId node,
                           const GradientRule& rule, const std::vector<kernels::Format>& formats,
                           int64_t batch_size, const TileOptions& options);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_SCHEDULE_TILES_H_
