// planner/policies/registry.h
//
// Policies by name.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Policy> policy, MakePolicy({.policy = "uniform"}));

#ifndef MANTISSA_PLANNER_POLICIES_REGISTRY_H_
#define MANTISSA_PLANNER_POLICIES_REGISTRY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/policies/context.h"
#include "planner/policies/options.h"
#include "planner/policies/policy.h"

namespace mantissa::planner {

// InvalidArgument (fields "policy", "low_ratio", "low_groups") says what is allowed.
absl::StatusOr<std::unique_ptr<Policy>> MakePolicy(const PolicyOptions& options,
                                                   const PolicyContext& context = {});

// Names that MakePolicy knows, in the order of its documentation.
std::vector<std::string> PolicyNames();

// The low ratio in force, its default filled in; nothing with policies that have none.
std::optional<double> EffectiveLowRatio(const PolicyOptions& options);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_REGISTRY_H_
