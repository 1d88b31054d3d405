// server/engine/memory_timeline.h
//
// Tensor bytes over a training step as they were, operator by operator: the counterpart of
// planner::PredictMemory, with the same points.
//
//   MemoryTimeline timeline(at::kCPU);      // before the tensors that it shall know
//   timeline.BeginStep();
//   timeline.BeginTask(task.kind, task.node);
//   Run(task);
//   timeline.EndTask();                     // before what dies with the task is released
//   timeline.BeginBackward();               // when the caller has let go of the logits
//   Print(timeline.EndStep().peak_bytes);
//
// Costs a few locks a task. Not thread-safe.

#ifndef MANTISSA_SERVER_ENGINE_MEMORY_TIMELINE_H_
#define MANTISSA_SERVER_ENGINE_MEMORY_TIMELINE_H_

#include <cstdint>
#include <memory>

#include "ATen/core/Tensor.h"
#include "planner/cost/memory.h"
#include "planner/graph/graph.h"
#include "planner/schedule/schedule.h"
#include "server/engine/memory_meter.h"

namespace mantissa::engine {

class MemoryTimeline {
 public:
  explicit MemoryTimeline(at::Device device) : meter_(MemoryMeter::Create(device)) {}

  // Forgets the step before, complete or not.
  void BeginStep();
  // The optimizer's update is a task of the backward pass, of planner::kNoNode.
  // What is made between two tasks counts to the second. Outside of a step (an evaluation) the
  // following do nothing.
  void BeginTask(planner::Task::Kind kind, planner::NodeId node);
  void EndTask();
  void BeginBackward();
  // The step, valid until the next one begins. REQUIRES: it had a task.
  const planner::MemoryForecast& EndStep();

  MemoryMeter& meter() { return *meter_; }

 private:
  const std::unique_ptr<MemoryMeter> meter_;
  bool in_step_ = false;
  planner::MemoryForecast step_;
  // Most bytes between the last task and the one that runs.
  planner::MemoryByKind between_ = {};
};

// For code that runs with or without one: a task that ends with the scope.
class TimelineTask {
 public:
  // `timeline` may be null.
  TimelineTask(MemoryTimeline* timeline, planner::Task::Kind kind, planner::NodeId node)
      : timeline_(timeline) {
    if (timeline_ != nullptr) timeline_->BeginTask(kind, node);
  }
  ~TimelineTask() {
    if (timeline_ != nullptr) timeline_->EndTask();
  }
  TimelineTask(const TimelineTask&) = delete;
  TimelineTask& operator=(const TimelineTask&) = delete;

 private:
  MemoryTimeline* const timeline_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_MEMORY_TIMELINE_H_
