// planner/policies/none.h
//
// Everything in fp32: training without rounding, the baseline.

#ifndef MANTISSA_PLANNER_POLICIES_NONE_H_
#define MANTISSA_PLANNER_POLICIES_NONE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/policy.h"

namespace mantissa::planner {

class None : public Policy {
 public:
  absl::StatusOr<Assignment> Assign(const Graph& graph, const TensorTable& tensors,
                                    int64_t batch_size) const override;
  std::vector<std::string> Explain(const Graph& graph, const TensorTable& tensors,
                                   const Assignment& assignment, int64_t batch_size) const override;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_NONE_H_
