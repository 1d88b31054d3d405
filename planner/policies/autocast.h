// planner/policies/autocast.h
//
// An autocast-like baseline: the operands of every convolution's and linear layer's products,
// forward and backward, are low; what the products make is high, and so is everything else. The
// ends of the network are no exception: in that it differs from the operator-based policy.

#ifndef MANTISSA_PLANNER_POLICIES_AUTOCAST_H_
#define MANTISSA_PLANNER_POLICIES_AUTOCAST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/policy.h"

namespace mantissa::planner {

class Autocast : public Policy {
 public:
  absl::StatusOr<Assignment> Assign(const Graph& graph, const TensorTable& tensors,
                                    int64_t batch_size) const override;
  std::vector<std::string> Explain(const Graph& graph, const TensorTable& tensors,
                                   const Assignment& assignment, int64_t batch_size) const override;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_AUTOCAST_H_
