// server/models/finish.h
//
// The last step of an import: leaves out what the output does not depend on, and names what is
// left.

#ifndef MANTISSA_SERVER_MODELS_FINISH_H_
#define MANTISSA_SERVER_MODELS_FINISH_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/graph/graph.h"
#include "server/models/emitter.h"

namespace mantissa::models {

struct Finished {
  planner::Graph graph;
  // What the graph's parameters, buffers and constants were in the draft, in its order.
  std::vector<planner::ValueId> parameters, buffers, constants;
};

// Operators are called by their module's path where it has one ("features.0.0"), else by the path
// and what they make ("layer1.0.add_1"). Inputs and buffers stay; parameters and constants that
// nothing reads go. A batch norm on which the output does not depend stays for its statistics, as
// in PyTorch; parameters that only it needs are frozen, for no gradient reaches them.
// InvalidArgument where no operator makes the output. `places` is by node.
absl::StatusOr<Finished> Finish(const planner::Graph& draft, absl::Span<const Place> places);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_FINISH_H_
