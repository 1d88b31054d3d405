#include "planner/wire/memory_proto.h"

#include "planner/schedule/schedule.h"

namespace mantissa::planner {
namespace {

v1::StepPhase PhaseOf(const MemoryPoint& point) {
  if (point.node == kNoNode) return v1::STEP_PHASE_UPDATE;
  switch (point.kind) {
    case Task::Kind::kForward:
      return v1::STEP_PHASE_FORWARD;
    case Task::Kind::kRecompute:
      return v1::STEP_PHASE_RECOMPUTE;
    case Task::Kind::kBackward:
      return v1::STEP_PHASE_BACKWARD;
  }
  return v1::STEP_PHASE_UNSPECIFIED;
}

v1::MemoryPoint PointToProto(const Graph& graph, const MemoryPoint& point) {
  v1::MemoryPoint message;
  message.set_phase(PhaseOf(point));
  if (point.node != kNoNode) message.set_operator_(graph.node(point.node).name);
  *message.mutable_bytes() = MemoryBytesToProto(point.by_kind);
  return message;
}

}  // namespace

v1::MemoryBytes MemoryBytesToProto(const MemoryByKind& bytes) {
  v1::MemoryBytes message;
  message.set_masters(bytes.of(MemoryKind::kMasters));
  message.set_weights(bytes.of(MemoryKind::kWeights));
  message.set_activations(bytes.of(MemoryKind::kActivations));
  message.set_gradients(bytes.of(MemoryKind::kGradients));
  message.set_optimizer(bytes.of(MemoryKind::kOptimizer));
  message.set_workspace(bytes.of(MemoryKind::kWorkspace));
  message.set_total(bytes.total());
  return message;
}

v1::StepMemory StepMemoryToProto(const Graph& graph, const MemoryForecast& forecast,
                                 bool with_timeline) {
  v1::StepMemory message;
  message.set_peak_bytes(forecast.peak_bytes);
  message.set_saved_for_backward_bytes(forecast.saved_for_backward_bytes);
  if (!forecast.points.empty()) {
    *message.mutable_peak() = PointToProto(graph, forecast.points[forecast.peak]);
  }
  if (!with_timeline) return message;
  for (const MemoryPoint& point : forecast.points) {
    *message.add_timeline() = PointToProto(graph, point);
  }
  return message;
}

}  // namespace mantissa::planner
