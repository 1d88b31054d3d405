// planner/policies/assign.h
//
// What policies by group share: formats of whole groups, and sentences for their tensors.
//
//   return AssignGroups(tensors, low);
//
// Pure; O(tensors).

#ifndef MANTISSA_PLANNER_POLICIES_ASSIGN_H_
#define MANTISSA_PLANNER_POLICIES_ASSIGN_H_

#include <string>
#include <vector>

#include "planner/policies/policy.h"

namespace mantissa::planner {

// All tensors high but those of the groups that `group_low` marks.
Assignment AssignGroups(const TensorTable& tensors, std::vector<bool> group_low);

// One sentence a tensor out of one a group (no full stop, `reasons` by group id): weight gradients
// stay high in low groups too, and say so.
std::vector<std::string> ExplainGroups(const TensorTable& tensors, const Assignment& assignment,
                                       const std::vector<std::string>& reasons);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_ASSIGN_H_
