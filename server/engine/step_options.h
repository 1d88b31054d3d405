// server/engine/step_options.h
//
// From what a training is told to what its steps are.
//
//   ASSIGN_OR_RETURN(const at::Device device, OpenDevice(options.device));
//   MakeDeterministic(options, device);
//   StepOptions step_options = StepOptionsOf(plan, options, steps_per_epoch);

#ifndef MANTISSA_SERVER_ENGINE_STEP_OPTIONS_H_
#define MANTISSA_SERVER_ENGINE_STEP_OPTIONS_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "planner/plan.h"
#include "server/engine/options.h"
#include "server/engine/step.h"

namespace mantissa::engine {

// The same operators in the same order on the same number of threads, whatever ran before. On a GPU
// an operator that has no deterministic form runs all the same.
void MakeDeterministic(const TrainingOptions& options, const at::Device& device);

// `steps_per_epoch`: after so many steps without a skipped one, the loss scale grows.
StepOptions StepOptionsOf(const planner::Plan& plan, const TrainingOptions& options,
                          int64_t steps_per_epoch);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_STEP_OPTIONS_H_
