// planner/policies/explicit_groups.h
//
// The groups that somebody listed are low, the others high.

#ifndef MANTISSA_PLANNER_POLICIES_EXPLICIT_GROUPS_H_
#define MANTISSA_PLANNER_POLICIES_EXPLICIT_GROUPS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "planner/policies/policy.h"

namespace mantissa::planner {

class ExplicitGroups : public Policy {
 public:
  explicit ExplicitGroups(std::vector<int> low_groups) : low_groups_(std::move(low_groups)) {}

  absl::StatusOr<Assignment> Assign(const Graph& graph, const TensorTable& tensors,
                                    int64_t batch_size) const override;
  std::vector<std::string> Explain(const Graph& graph, const TensorTable& tensors,
                                   const Assignment& assignment, int64_t batch_size) const override;

 private:
  std::vector<int> low_groups_;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_EXPLICIT_GROUPS_H_
