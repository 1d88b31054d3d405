// planner/policies/ordered.h
//
// The policies that make whole groups low one after the other, in an order of their own, until the
// low share of elements is at least the low ratio, or, under a limit of memory, until a step fits
// (the planner looks for that: planner/fit). They differ in nothing but that order.
//
//   class Demotion : public OrderedPolicy { ... std::vector<int> GroupOrder(...) const override; };

#ifndef MANTISSA_PLANNER_POLICIES_ORDERED_H_
#define MANTISSA_PLANNER_POLICIES_ORDERED_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/context.h"
#include "planner/policies/policy.h"

namespace mantissa::planner {

class OrderedPolicy : public Policy {
 public:
  // `low_ratio` is 0.0 (no group becomes low) to 1.0 (all do).
  OrderedPolicy(double low_ratio, const PolicyContext& context)
      : low_ratio_(low_ratio), memory_bytes_(context.memory_bytes) {}

  absl::StatusOr<Assignment> Assign(const Graph& graph, const TensorTable& tensors,
                                    int64_t batch_size) const override;
  std::vector<std::string> Explain(const Graph& graph, const TensorTable& tensors,
                                   const Assignment& assignment, int64_t batch_size) const override;

 protected:
  // What a place in that order is called: "the 3rd largest". `place` counts from 1.
  virtual std::string Place(int place) const = 0;

 private:
  std::string Reason(bool low, double low_share) const;

  double low_ratio_;
  int64_t memory_bytes_;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_ORDERED_H_
