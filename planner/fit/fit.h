// planner/fit/fit.h
//
// Chooses low groups and recomputed values so that the predicted peak of a step is within a limit.
//
//   const FitRequest request{.graph = graph, .tensors = tensors, .policy = *policy, ...};
//   const Fitted fitted = Fit(request);
//   if (fitted.peak_bytes > request.memory_bytes) return Shortfall(request, fitted);
//
// Pure. Precision comes first: with a policy that has an order of groups as few of them become low
// as the limit asks for; only where all are low and it is still too much is something recomputed.

#ifndef MANTISSA_PLANNER_FIT_FIT_H_
#define MANTISSA_PLANNER_FIT_FIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/formats/format.h"
#include "planner/cost/memory.h"
#include "planner/fit/recompute.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/policies/policy.h"

namespace mantissa::planner {

struct FitRequest {
  const Graph& graph;
  const TensorTable& tensors;
  const Policy& policy;
  std::string policy_name;
  // What the recipe takes for the policies' high.
  kernels::Format high = kernels::kHigh;
  int64_t batch_size = 128;
  MemoryOptions memory;
  // Most bytes of a step; 0: no limit, the policy decides alone.
  int64_t memory_bytes = 0;
  Recompute recompute = Recompute::kAuto;
};

struct Fitted {
  Assignment assignment;
  std::vector<bool> recompute;  // by value; empty: none
  int64_t peak_bytes = 0;
  // The policy has an order of groups, and as few as fit are low; all, where that does not fit.
  bool in_order = false;
};

// The choice within the limit; where there is none, the one with the lowest peak that was found.
// Errors are the policy's.
absl::StatusOr<Fitted> Fit(const FitRequest& request);

// FailedPrecondition: what is needed and allowed, and which other batch size, width of the
// optimizer's state, policy or recomputing would fit, each tried. REQUIRES: `fitted` is what Fit()
// gave, and does not fit.
absl::Status Shortfall(const FitRequest& request, const Fitted& fitted);

// `formats` with the recipe's high.
std::vector<kernels::Format> InRecipe(std::vector<kernels::Format> formats,
                                      const kernels::Format& high);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_FIT_FIT_H_
