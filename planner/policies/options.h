// planner/policies/options.h
//
// What a policy is made from, as one asks for it.
//
//   PolicyOptions options{.policy = "demotion", .low_ratio = 0.5};

#ifndef MANTISSA_PLANNER_POLICIES_OPTIONS_H_
#define MANTISSA_PLANNER_POLICIES_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mantissa::planner {

struct PolicyOptions {
  // none, demotion, budget, uniform, operator, autocast, increasing, random, explicit.
  std::string policy = "demotion";
  // Share of elements to put in low precision, 0.0 to 1.0. Only with demotion, budget, increasing
  // and random (default 0.5) and with uniform (0 or 1, default 1).
  std::optional<double> low_ratio;
  // Order of `random`.
  uint64_t seed = 0;
  // Low groups of `explicit`, each once. Only with it.
  std::vector<int> low_groups;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_OPTIONS_H_
