// planner/policies/policy.h
//
// A Policy chooses the format of each tensor of a graph.
//
//   ASSIGN_OR_RETURN(auto policy, MakePolicy({.policy = "demotion", .low_ratio = 0.5}));
//   ASSIGN_OR_RETURN(Assignment assignment, policy->Assign(graph, tensors, batch_size));
//
// Low means: v, theta in fp(4,3,4), dv in fp(5,2,0), dtheta stays fp(6,9,0). High: all fp(6,9,0).
// Pure: same graph and options, same result. Thread-safe.

#ifndef MANTISSA_PLANNER_POLICIES_POLICY_H_
#define MANTISSA_PLANNER_POLICIES_POLICY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/formats/format.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"

namespace mantissa::planner {

struct PolicyOptions {
  // none, demotion, uniform, operator, autocast, increasing, random, explicit.
  std::string policy = "demotion";
  // 0.0 to 1.0. Default 0.5; 1.0 for uniform.
  std::optional<double> low_ratio;
  // Order of `random`.
  uint64_t seed = 0;
  // Low groups of `explicit`.
  std::vector<int> low_groups;
};

struct Assignment {
  // By index into TensorTable::tensors().
  std::vector<kernels::Format> formats;
  // By group id; all false with policies that choose single tensors (none, operator, autocast).
  std::vector<bool> group_low;
  // Why, by index into TensorTable::tensors(), is made on demand by planner/explain.
};

class Policy {
 public:
  virtual ~Policy() = default;
  // O(n log n) in groups. InvalidArgument if options do not fit the graph (a group that is not
  // there). REQUIRES: `tensors` was made from `graph`, batch_size >= 1.
  virtual absl::StatusOr<Assignment> Assign(const Graph& graph, const TensorTable& tensors,
                                            int64_t batch_size) const = 0;
  // The reason for one tensor of an assignment this policy made, a sentence for people.
  virtual std::string Explain(const TensorTable& tensors, const Assignment& assignment,
                              int tensor_index, int64_t batch_size) const = 0;
};

// InvalidArgument names the option, what was given and what is allowed.
absl::StatusOr<std::unique_ptr<Policy>> MakePolicy(const PolicyOptions& options);

// Names that MakePolicy knows, in the order of its documentation.
std::vector<std::string> PolicyNames();

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_POLICY_H_
