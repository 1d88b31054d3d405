// planner/cost/memory.h
//
// Bytes of tensors over a training step, predicted by walking its schedule.
//
//   const MemoryForecast forecast = PredictMemory(graph, tensors, formats, schedule, 128, options);
//   Print(forecast.peak_bytes, forecast.points[forecast.peak].by_kind);
//
// Counts tensor bytes as an allocator sees them: what LibTorch and its libraries take for
// themselves outside of tensors (oneDNN's scratch memory, threads, code) is not in it.
// Pure; O(tasks).

#ifndef MANTISSA_PLANNER_COST_MEMORY_H_
#define MANTISSA_PLANNER_COST_MEMORY_H_

#include <cstdint>
#include <vector>

#include "kernels/formats/format.h"
#include "planner/cost/memory_kind.h"
#include "planner/cost/moments.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/schedule/schedule.h"
#include "planner/schedule/tiles.h"

namespace mantissa::planner {

// The most at one time within a task; the last point of a step is the optimizer's update.
struct MemoryPoint {
  Task::Kind kind = Task::Kind::kForward;
  NodeId node = kNoNode;  // kNoNode: the optimizer
  MemoryByKind by_kind = {};
};

struct MemoryOptions {
  // False: v, theta, dv and dtheta are rounded but stand in 4 bytes.
  bool packed = true;
  TileOptions tiles;
  // Moments a parameter element: 1 with SGD and momentum, 2 with AdamW.
  int moments = 1;
  OptimizerStateWidth optimizer_state = OptimizerStateWidth::kFp32;
};

struct MemoryForecast {
  std::vector<MemoryPoint> points;  // by task, then the optimizer
  int peak = 0;                     // index of the largest point
  int64_t peak_bytes = 0;
  // v, kept and rounded theta that are alive when the forward pass has ended.
  int64_t saved_for_backward_bytes = 0;
};

MemoryForecast PredictMemory(const Graph& graph, const TensorTable& tensors,
                             const std::vector<kernels::Format>& formats, const Schedule& schedule,
                             int64_t batch_size, const MemoryOptions& options);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_MEMORY_H_
