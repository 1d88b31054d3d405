#include "planner/policies/explicit_groups.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/policies/assign.h"

namespace mantissa::planner {

absl::StatusOr<Assignment> ExplicitGroups::Assign(const Graph&, const TensorTable& tensors,
                                                  int64_t) const {
  std::vector<bool> low(tensors.group_count(), false);
  for (const int group : low_groups_) {
    if (group < 0 || group >= tensors.group_count()) {
      return InvalidField("low_groups", absl::StrCat(group),
                          absl::StrCat("group ids 0 to ", tensors.group_count() - 1),
                          "List the groups with `mantissa plan`.");
    }
    if (low[group]) {
      return InvalidField("low_groups", absl::StrCat("a list with ", group, " twice"),
                          "each group id once", "Leave out the second one.");
    }
    low[group] = true;
  }
  return AssignGroups(tensors, std::move(low));
}

std::vector<std::string> ExplicitGroups::Explain(const Graph&, const TensorTable& tensors,
                                                 const Assignment& assignment, int64_t) const {
  std::vector<std::string> reasons;
  reasons.reserve(tensors.group_count());
  for (int group = 0; group < tensors.group_count(); ++group) {
    reasons.push_back(absl::StrCat("group ", group, " is ",
                                   assignment.group_low[group] ? "" : "not ",
                                   "in the list of low groups"));
  }
  return ExplainGroups(tensors, assignment, reasons);
}

}  // namespace mantissa::planner
