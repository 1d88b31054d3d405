#include "server/engine/memory_baselines.h"

#include <memory>

#include "ATen/ops/rand.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/log.h"
#include "base/status.h"
#include "server/engine/gpu.h"
#include "server/engine/memory_timeline.h"
#include "server/engine/model_state.h"
#include "server/engine/operator_call.h"
#include "server/engine/start_state.h"
#include "server/engine/step.h"
#include "server/engine/step_options.h"
#include "server/engine/torch_error.h"

namespace mantissa::engine {
namespace {

constexpr double kMaxStepSeconds = 20;

// The training's plan with a baseline's precision.
absl::StatusOr<planner::Plan> PlanOf(const std::string& name, const planner::Plan& plan) {
  planner::PlanRequest request = plan.request;
  request.memory_bytes = 0;
  request.recompute = planner::Recompute::kNone;
  if (name == "fp32") {
    request.precision = {.policy = "none"};
    request.recipe = planner::Recipe::kPaper;
  } else if (name == "16-bit") {
    request.precision = {.policy = "uniform", .low_ratio = 0};
  } else if (name == "operator") {
    request.precision = {.policy = "operator"};
  } else {
    return absl::InvalidArgumentError("no assignment is known by that name");
  }
  return planner::MakePlan(request);
}

Batch RandomBatch(const planner::Graph& graph, int64_t batch_size, const at::Device& device) {
  const auto tensor = [&](planner::ValueId id) {
    const planner::Value& value = graph.value(id);
    const std::vector<int64_t> sizes = planner::SizesAt(value.shape, batch_size);
    const at::TensorOptions options = at::TensorOptions(device).dtype(ScalarTypeOf(value.dtype));
    // Zero is in every range, of tokens and labels too.
    return value.dtype == planner::DType::kFloat32 ? at::rand(sizes, options)
                                                   : at::zeros(sizes, options);
  };
  Batch batch = {.target = tensor(graph.target())};
  for (const planner::ValueId input : graph.inputs()) batch.inputs.push_back(tensor(input));
  return batch;
}

// The peak of a step, above what was alive before.
absl::StatusOr<int64_t> MeasureStep(planner::Plan& plan, const at::Device& device,
                                    TrainingOptions options) {
  options.round = plan.request.precision.policy != "none";
  MemoryTimeline timeline(device);
  const int64_t before = timeline.meter().Live().total();
  ASSIGN_OR_RETURN(ModelState state, StartState(plan.graph, options));
  MoveState(device, state);
  StepOptions step_options = StepOptionsOf(plan, options, /*steps_per_epoch=*/1);
  step_options.runner.timeline = &timeline;
  ASSIGN_OR_RETURN(const std::unique_ptr<StepRunner> runner,
                   StepRunner::Create(plan, state, step_options));
  ASSIGN_OR_RETURN(
      const StepResult result,
      runner->Step(1, RandomBatch(plan.graph, options.batch_size, device), options.learning_rate));
  if (result.skipped) return absl::FailedPreconditionError("its update was skipped");
  return timeline.EndStep().peak_bytes - before;
}

absl::StatusOr<int64_t> Measure(const std::string& name, const planner::Plan& plan,
                                const TrainingOptions& options) {
  ASSIGN_OR_RETURN(planner::Plan baseline, PlanOf(name, plan));
  ASSIGN_OR_RETURN(const at::Device device, OpenDevice(options.device));
  const int64_t free = MemoryMeter::Create(device)->FreeBytes();
  if (baseline.memory.peak_bytes > free / 2) {
    return absl::ResourceExhaustedError("it needs more than half of the free memory");
  }
  return MeasureStep(baseline, device, options);
}

}  // namespace

std::vector<BaselineMemory> MeasureBaselines(const planner::Plan& plan,
                                             const TrainingOptions& options,
                                             const BaselineOptions& baseline_options) {
  std::vector<BaselineMemory> result;
  for (const planner::MemoryBaseline& predicted : plan.baselines) {
    BaselineMemory& baseline = result.emplace_back();
    baseline = {.name = predicted.name, .peak_bytes = predicted.peak_bytes};
    if (baseline_options.slowest_step_seconds > kMaxStepSeconds) continue;
    if (baseline_options.stop && baseline_options.stop()) continue;
    const absl::StatusOr<int64_t> peak =
        CatchTorch([&] { return Measure(predicted.name, plan, options); });
    if (peak.ok()) {
      baseline.peak_bytes = *peak;
      baseline.measured = true;
    } else {
      LogInfo("the memory of ", predicted.name,
              " is predicted, not measured: ", peak.status().message());
    }
  }
  return result;
}

}  // namespace mantissa::engine
