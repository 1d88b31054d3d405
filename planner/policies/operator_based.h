// planner/policies/operator_based.h
//
// A baseline of the paper: precision by the kind of operator.
//   1. For every convolution and linear layer, low: weight, bias, the gradient of its output, and
//      the v that it reads.
//   2. Then the ends go high again: the network's input with its gradient, every tensor of the
//      operators that read it, every tensor of the operators of the last group (their parameters
//      too, though these are counted in the group before), and every v and dv that feed it.
// Source: Lee, Sharma, Aiken, TMLR 2023, section 5, and their program.

#ifndef MANTISSA_PLANNER_POLICIES_OPERATOR_BASED_H_
#define MANTISSA_PLANNER_POLICIES_OPERATOR_BASED_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/policy.h"

namespace mantissa::planner {

class OperatorBased : public Policy {
 public:
  absl::StatusOr<Assignment> Assign(const Graph& graph, const TensorTable& tensors,
                                    int64_t batch_size) const override;
  std::vector<std::string> Explain(const Graph& graph, const TensorTable& tensors,
                                   const Assignment& assignment, int64_t batch_size) const override;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_OPERATOR_BASED_H_
