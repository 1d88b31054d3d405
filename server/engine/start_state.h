// With which weights a training starts.
//
//   ASSIGN_OR_RETURN(ModelState state, StartState(plan.graph, options));
//
// An uploaded model's are in its archive, with its constants; a built-in one's are drawn from the
// seed. Weights of a file (TrainingOptions::init_path) go before both.
#ifndef MANTISSA_SERVER_ENGINE_START_STATE_H_
#define MANTISSA_SERVER_ENGINE_START_STATE_H_

#include "absl/status/statusor.h"
#include "planner/graph/graph.h"
#include "server/engine/model_state.h"
#include "server/engine/options.h"

namespace mantissa::engine {

// In host memory. InvalidArgument where a file does not fit the graph or is damaged.
absl::StatusOr<ModelState> StartState(const planner::Graph& graph, const TrainingOptions& options);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_START_STATE_H_
