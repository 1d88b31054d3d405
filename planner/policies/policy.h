// planner/policies/policy.h
//
// A Policy chooses the format of each tensor of a graph; registry.h makes one by name.
//
//   ASSIGN_OR_RETURN(auto policy, MakePolicy({.policy = "demotion", .low_ratio = 0.5}));
//   ASSIGN_OR_RETURN(Assignment assignment, policy->Assign(graph, tensors, batch_size));
//
// Low means: v, theta in fp(4,3,4), dv in fp(5,2,0), dtheta stays fp(6,9,0). High: all fp(6,9,0).
// Pure: same graph and options, same result. Thread-safe.
// Source: Lee, Sharma, Aiken, TMLR 2023, sections 3 and 4.

#ifndef MANTISSA_PLANNER_POLICIES_POLICY_H_
#define MANTISSA_PLANNER_POLICIES_POLICY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/formats/format.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"

namespace mantissa::planner {

struct Assignment {
  // By index into TensorTable::tensors().
  std::vector<kernels::Format> formats;
  // By group id; all false with policies that choose single tensors (none, operator, autocast).
  std::vector<bool> group_low;
};

class Policy {
 public:
  virtual ~Policy() = default;
  // InvalidArgument (field "low_groups") if the options name a group that is not there.
  // O(n log n) in tensors. REQUIRES: `tensors` was made from `graph`, batch_size >= 1.
  virtual absl::StatusOr<Assignment> Assign(const Graph& graph, const TensorTable& tensors,
                                            int64_t batch_size) const = 0;
  // Why each tensor has the format that Assign gave it: a sentence for people each, by index into
  // tensors.tensors(). O(n log n). REQUIRES: `assignment` is what Assign returned for the same.
  virtual std::vector<std::string> Explain(const Graph& graph, const TensorTable& tensors,
                                           const Assignment& assignment,
                                           int64_t batch_size) const = 0;
  // The group ids in the order in which they become low, each once. Empty with policies that have
  // no such order.
  virtual std::vector<int> GroupOrder(const Graph& /*graph*/, const TensorTable& /*tensors*/,
                                      int64_t /*batch_size*/) const {
    return {};
  }
};

// Format of a tensor of that kind in low precision. In high, all have kernels::kHigh.
kernels::Format LowFormat(TensorKind kind);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_POLICY_H_
