#include "server/engine/memory_timeline.h"

#include "base/status.h"
#include "planner/cost/memory_kind.h"

namespace mantissa::engine {

using planner::MemoryByKind;
using planner::MemoryKind;

void MemoryTimeline::BeginStep() {
  step_.points.clear();  // keeps its memory
  step_.peak = 0;
  step_.peak_bytes = step_.saved_for_backward_bytes = 0;
  between_ = {};
  in_step_ = true;
  meter_->ResetPeak();
}

void MemoryTimeline::BeginTask(planner::Task::Kind kind, planner::NodeId node) {
  if (!in_step_) return;
  // Since the last task only grows above its peak if something was made in between.
  const MemoryByKind peak = meter_->Peak();
  const bool grew = step_.points.empty() || peak.total() > step_.points.back().by_kind.total();
  between_ = grew ? peak : MemoryByKind{};
  step_.points.push_back({.kind = kind, .node = node});
  meter_->ResetPeak();
}

void MemoryTimeline::EndTask() {
  if (!in_step_) return;
  const MemoryByKind peak = meter_->Peak();
  MemoryByKind& most = step_.points.back().by_kind;
  most = peak.total() > between_.total() ? peak : between_;
  if (most.total() <= step_.peak_bytes) return;
  step_.peak = static_cast<int>(step_.points.size()) - 1;
  step_.peak_bytes = most.total();
}

void MemoryTimeline::BeginBackward() {
  if (!in_step_) return;
  step_.saved_for_backward_bytes = meter_->Live().of(MemoryKind::kActivations);
}

const planner::MemoryForecast& MemoryTimeline::EndStep() {
  MANTISSA_CHECK(in_step_ && !step_.points.empty(), "a step without tasks");
  in_step_ = false;
  return step_;
}

}  // namespace mantissa::engine
