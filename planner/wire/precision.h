// planner/wire/precision.h
//
// mantissa.v1.PrecisionSpec: names of policies, defaults, ranges.
//
//   ASSIGN_OR_RETURN(const v1::PrecisionSpec filled, NormalizePrecision(spec));
//   const PolicyOptions options = PolicyOptionsOf(filled);
//
// Pure, thread-safe. Errors carry fields relative to the spec: "low_ratio".

#ifndef MANTISSA_PLANNER_WIRE_PRECISION_H_
#define MANTISSA_PLANNER_WIRE_PRECISION_H_

#include <string>

#include "absl/status/statusor.h"
#include "mantissa/v1/common.pb.h"
#include "planner/policies/options.h"

namespace mantissa::planner {

// POLICY_NAME_DEMOTION to "demotion"; POLICY_NAME_UNSPECIFIED too. A number that is no policy is
// empty.
std::string PolicyNameText(v1::PolicyName policy);

// Whether low_ratio means something with the policy. True for a number that is no policy: that
// is refused for what it is.
bool TakesLowRatio(v1::PolicyName policy);

// The spec with its defaults filled in and its ranges checked, as common.proto documents them.
// Group ids, the budget of memory and what goes together are checked by the plan itself. Under a
// memory budget low_ratio stays unset where the budget chooses it, so that the result can be asked
// for again.
absl::StatusOr<v1::PrecisionSpec> NormalizePrecision(const v1::PrecisionSpec& spec);

// REQUIRES: NormalizePrecision(spec) is OK.
PolicyOptions PolicyOptionsOf(const v1::PrecisionSpec& spec);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_WIRE_PRECISION_H_
