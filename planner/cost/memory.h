// planner/cost/memory.h
//
// Bytes of tensors over a training step, predicted by walking its schedule.
//
//   const MemoryForecast forecast = PredictMemory(graph, tensors, formats, schedule, 128, options);
//   Print(forecast.peak_bytes, forecast.points[forecast.peak].by_kind);
//
// To compare many assignments, a MemoryModel walks the schedule once:
//
//   const MemoryModel model(graph, tensors, schedule, 128, options);
//   if (model.PeakBytes(formats) <= budget) ...
//
// Counts tensor bytes as an allocator sees them: what LibTorch and its libraries take for
// themselves outside of tensors (threads, code, caches) is not in it. docs/memory-prediction.md
// holds it against what was measured.

#ifndef MANTISSA_PLANNER_COST_MEMORY_H_
#define MANTISSA_PLANNER_COST_MEMORY_H_

#include <cstdint>
#include <vector>

#include "kernels/formats/format.h"
#include "planner/cost/memory_kind.h"
#include "planner/cost/memory_span.h"
#include "planner/cost/moments.h"
#include "planner/cost/workspace.h"
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
  // Gradients of several batches are added up, in fp32, before an update.
  bool accumulates = false;
  // The norm of all gradients is taken before an update.
  bool clips = false;
  // There is a moving average of the parameters, in fp32.
  bool averages = false;
};

struct MemoryForecast {
  std::vector<MemoryPoint> points;  // by task, then the optimizer
  int peak = 0;                     // index of the largest point
  int64_t peak_bytes = 0;
  // v and what nodes keep, alive when the forward pass has ended.
  int64_t saved_for_backward_bytes = 0;
};

// O(tasks).
MemoryForecast PredictMemory(const Graph& graph, const TensorTable& tensors,
                             const std::vector<kernels::Format>& formats, const Schedule& schedule,
                             int64_t batch_size, const MemoryOptions& options);

// Immutable after construction; thread-safe. Refers to nothing that it was made from.
class MemoryModel {
 public:
  MemoryModel(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
              int64_t batch_size, const MemoryOptions& options);

  // `formats` by index into tensors.tensors(). O(tasks), and so are the others.
  MemoryForecast Predict(const std::vector<kernels::Format>& formats) const;
  int64_t PeakBytes(const std::vector<kernels::Format>& formats) const;
  // By point: the total.
  std::vector<int64_t> TotalBytes(const std::vector<kernels::Format>& formats) const;
  // By tensor: elements that are stored in its format at a point.
  std::vector<int64_t> StoredElements(size_t point,
                                      const std::vector<kernels::Format>& formats) const;

 private:
  friend class MemoryModelBuilder;

  // Bytes at a point, and what of them is not there at all its moments. Bytes are a MemoryByKind,
  // or their total alone where many assignments are compared.
  template <typename Bytes>
  struct Lasting {
    Bytes by_kind = {};
    Bytes stored = {}, finished = {}, used_up = {};
    Bytes rounded = {};  // copies of parameters that the point's task makes
  };

  std::vector<bool> StoredAsComputed(const std::vector<kernels::Format>& formats) const;
  int64_t BytesOf(const MemorySpan& span, const std::vector<kernels::Format>& formats,
                  const std::vector<bool>& as_computed) const;
  // Of a parameter.
  struct Update {
    int gradient = -1;  // dtheta
    int64_t elements = 0;
    int64_t bytes = 0;  // of the optimizer's own
  };

  int64_t StoredBytes(const kernels::Format& format, int64_t elements) const;
  // While the batch is stored. REQUIRES: `lasting` is of the first point.
  template <typename Bytes>
  Bytes AtStart(const Lasting<Bytes>& lasting, const std::vector<kernels::Format>& formats) const;
  template <typename Bytes>
  Bytes MostAtUpdate(const Lasting<Bytes>& lasting,
                     const std::vector<kernels::Format>& formats) const;
  template <typename Bytes>
  std::vector<Lasting<Bytes>> LastingBytes(const std::vector<kernels::Format>& formats,
                                           const std::vector<bool>& as_computed) const;
  template <typename Bytes>
  Bytes MostAt(size_t point, const Lasting<Bytes>& lasting,
               const std::vector<kernels::Format>& formats,
               const std::vector<bool>& as_computed) const;

  MemoryOptions options_;
  int forward_tasks_ = 0;
  std::vector<MemoryPoint> points_;  // with node and kind
  std::vector<MemorySpan> spans_;
  // Of each float input, the batch in fp32: there until it is stored in its format, before the
  // first task.
  std::vector<Workspace::Unpacked> samples_;
  std::vector<Workspace> workspaces_;              // by point
  std::vector<std::vector<int>> tensors_of_node_;  // v and dv that a node reads or makes
  std::vector<Update> updates_;                    // in the order of parameters
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_MEMORY_H_
