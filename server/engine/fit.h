// Whether a data set can train a model as the options say.
//
//   RETURN_IF_ERROR(CheckFit(plan, data, options));
#ifndef MANTISSA_SERVER_ENGINE_FIT_H_
#define MANTISSA_SERVER_ENGINE_FIT_H_

#include "absl/status/status.h"
#include "planner/plan.h"
#include "server/data/dataset.h"
#include "server/engine/options.h"

namespace mantissa::engine {

// InvalidArgument names the option or the part of the data that does not fit, what is allowed and
// what to do: no samples, inputs or a target of another number, type or shape (dimensions of 1
// apart), a label beyond the classes, a token beyond an embedding's rows, a batch larger than the
// data, an option out of its range.
absl::Status CheckFit(const planner::Plan& plan, const data::LoadedDataset& data,
                      const TrainingOptions& options);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_FIT_H_
