// What a training needs to go on as if it had never stopped: weights, their averages, buffers,
// moments, loss scale, promoted tensors, and how far it is. Random numbers need no state, they are
// counted (base/random).
//
//   RETURN_IF_ERROR(SaveCheckpoint(files, path, plan, state, runner, progress));
//   ASSIGN_OR_RETURN(progress, LoadCheckpoint(files, path, plan, state, runner));
//
// One .safetensors file: tensors named "model/...", "average/...", "momentum/..." and so on; the
// rest is in its metadata. Moments are kept in the bytes that they have, so a training goes on bit
// for bit in every width, and with the width that it began with.
#ifndef MANTISSA_SERVER_ENGINE_CHECKPOINT_H_
#define MANTISSA_SERVER_ENGINE_CHECKPOINT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "planner/plan.h"
#include "server/engine/model_state.h"
#include "server/engine/step.h"

namespace mantissa::engine {

struct Progress {
  int64_t step = 0;  // steps done
  int epoch = 0;     // epochs done
  int64_t skipped_steps = 0;
};

// Replaces the file at once.
absl::Status SaveCheckpoint(FileSystem& files, absl::string_view path, const planner::Plan& plan,
                            const ModelState& state, StepRunner& runner, const Progress& progress);

// Restores all into `state` and `runner`, promotions into the runner's plan. InvalidArgument if the
// file is broken or is of another model, optimizer, width of its moments, or version. REQUIRES:
// nothing was promoted yet.
absl::StatusOr<Progress> LoadCheckpoint(FileSystem& files, absl::string_view path,
                                        const planner::Plan& plan, ModelState& state,
                                        StepRunner& runner);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_CHECKPOINT_H_
