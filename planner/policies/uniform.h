// planner/policies/uniform.h
//
// The same precision for every group: all low or all high. A baseline of the paper.

#ifndef MANTISSA_PLANNER_POLICIES_UNIFORM_H_
#define MANTISSA_PLANNER_POLICIES_UNIFORM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/policy.h"

namespace mantissa::planner {

class Uniform : public Policy {
 public:
  explicit Uniform(bool low) : low_(low) {}

  absl::StatusOr<Assignment> Assign(const Graph& graph, const TensorTable& tensors,
                                    int64_t batch_size) const override;
  std::vector<std::string> Explain(const Graph& graph, const TensorTable& tensors,
                                   const Assignment& assignment, int64_t batch_size) const override;

 private:
  bool low_;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_UNIFORM_H_
