#include "planner/policies/uniform.h"

#include "planner/policies/assign.h"

namespace mantissa::planner {

absl::StatusOr<Assignment> Uniform::Assign(const Graph&, const TensorTable& tensors,
                                           int64_t) const {
  return AssignGroups(tensors, std::vector<bool>(tensors.group_count(), low_));
}

std::vector<std::string> Uniform::Explain(const Graph&, const TensorTable& tensors,
                                          const Assignment& assignment, int64_t) const {
  const std::string reason = low_ ? "policy uniform makes every group low"
                                  : "policy uniform with ratio 0 leaves every group high";
  return ExplainGroups(tensors, assignment,
                       std::vector<std::string>(tensors.group_count(), reason));
}

}  // namespace mantissa::planner
