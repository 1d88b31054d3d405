// planner/explain/explain.h
//
// Why each tensor of a plan has its format, in words.
//
//   const std::vector<std::string> reasons = ExplainPlan(plan);
//   // "Group 5, 16,777,216 elements, fp(4,3,4): group 5 (33,587,328 elements) is the largest; low
//   // because the low ratio was 0.0000 < 0.5000 before it."
//
// Pure, O(n log n) in tensors. The wording is not promised.

#ifndef MANTISSA_PLANNER_EXPLAIN_EXPLAIN_H_
#define MANTISSA_PLANNER_EXPLAIN_EXPLAIN_H_

#include <string>
#include <vector>

#include "planner/plan.h"

namespace mantissa::planner {

// By index into plan.tensors.tensors(). REQUIRES: MakePlan made `plan` and nobody changed it.
std::vector<std::string> ExplainPlan(const Plan& plan);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_EXPLAIN_EXPLAIN_H_
