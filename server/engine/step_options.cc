#include "server/engine/step_options.h"

#include "ATen/Context.h"
#include "ATen/Parallel.h"

namespace mantissa::engine {
namespace {

kernels::Rounding RoundingOf(RoundingMode mode) {
  switch (mode) {
    case RoundingMode::kNearestEven:
      return kernels::Rounding::kNearestEven;
    case RoundingMode::kNearestAway:
      return kernels::Rounding::kNearestAway;
    case RoundingMode::kStochastic:
      return kernels::Rounding::kStochastic;
    case RoundingMode::kReference:
      return kernels::Rounding::kReference;
  }
  return kernels::Rounding::kNearestEven;
}

}  // namespace

void MakeDeterministic(const TrainingOptions& options, const at::Device& device) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/device.is_cuda());
  if (device.is_cuda()) {
    at::globalContext().setDeterministicCuDNN(true);
    if (options.round) {
      // Rounded values have at most 9 bits of mantissa, so TF32's 10 lose nothing of them.
      at::globalContext().setAllowTF32CuDNN(true);
      at::globalContext().setAllowTF32CuBLAS(true);
    }
  }
  // It would fill every new tensor, which costs time and which nothing here reads.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
}

StepOptions StepOptionsOf(const planner::Plan& plan, const TrainingOptions& options,
                          int64_t steps_per_epoch) {
  return {
      .rounding = RoundingOf(options.rounding),
      .seed = options.seed,
      .round = options.round,
      .batch_size = options.batch_size,
      .promotion_threshold = options.promotion_threshold,
      .loss_scale = {.scale = options.loss_scale,
                     .dynamic = options.dynamic_loss_scale,
                     .growth_interval = steps_per_epoch},
      .optimizer = {.kind = options.optimizer,
                    .momentum = options.momentum,
                    .weight_decay = options.weight_decay,
                    .state = options.optimizer_state,
                    .seed = options.seed},
      .runner = {.storage = options.storage,
                 .wide = plan.request.recipe == planner::Recipe::kBf16 ? at::kBFloat16 : at::kFloat,
                 .tile_bytes = plan.request.tile_bytes}};
}

}  // namespace mantissa::engine
