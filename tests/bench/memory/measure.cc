#include "tests/bench/memory/measure.h"

#include <memory>

#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/linspace.h"
#include "base/status.h"
#include "server/engine/memory_ledger.h"
#include "server/engine/memory_timeline.h"
#include "server/engine/model_state.h"
#include "server/engine/step.h"

namespace mantissa::engine {
namespace {

Batch BatchFor(const planner::Plan& plan) {
  std::vector<int64_t> sizes;
  int64_t elements = 1;
  for (const planner::Dim& dim : plan.graph.value(plan.graph.inputs()[0]).shape) {
    sizes.push_back(dim.At(plan.request.batch_size));
    elements *= sizes.back();
  }
  return {.inputs = {at::linspace(-2, 2, elements, at::kFloat).view(sizes)},
          .target =
              at::arange(plan.request.batch_size, at::kLong).remainder(plan.request.model.classes)};
}

StepOptions OptionsFor(const planner::Plan& plan, MemoryTimeline* timeline) {
  const planner::PlanRequest& request = plan.request;
  const bool bf16 = request.recipe == planner::Recipe::kBf16;
  return {.round = request.precision.policy != "none",
          .batch_size = request.batch_size,
          .optimizer = {.kind = request.optimizer, .state = request.optimizer_state},
          .runner = {.storage = request.packed ? Storage::kPacked : Storage::kEmulated,
                     .wide = bf16 ? at::kBFloat16 : at::kFloat,
                     .recompute = plan.recompute,
                     .timeline = timeline}};
}

}  // namespace

planner::MemoryForecast MeasureStep(planner::Plan plan) {
  MemoryTimeline timeline(at::kCPU);
  auto state = InitialState(plan.graph, plan.request.model, /*seed=*/1);
  MANTISSA_CHECK_OK(state);
  for (const std::vector<at::Tensor>* tensors : {&state->parameters, &state->buffers}) {
    for (const at::Tensor& tensor : *tensors) {
      MemoryLedger::Process().Tag(tensor, planner::MemoryKind::kMasters);
    }
  }
  auto runner = StepRunner::Create(plan, *state, OptionsFor(plan, &timeline));
  MANTISSA_CHECK_OK(runner);
  MANTISSA_CHECK_OK((*runner)->Step(1, BatchFor(plan), /*learning_rate=*/0.01));
  return timeline.EndStep();
}

}  // namespace mantissa::engine
