// planner/policies/ordered.h
//
// The policies that make whole groups low one after the other, in an order of their own, until the
// low share of elements is at least the low ratio. They differ in nothing but that order.
//
//   class Demotion : public OrderedPolicy { ... GroupOrder Order(...) const override; ... };

#ifndef MANTISSA_PLANNER_POLICIES_ORDERED_H_
#define MANTISSA_PLANNER_POLICIES_ORDERED_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/policy.h"

namespace mantissa::planner {

class OrderedPolicy : public Policy {
 public:
  // `low_ratio` is 0.0 (no group becomes low) to 1.0 (all do).
  explicit OrderedPolicy(double low_ratio) : low_ratio_(low_ratio) {}

  absl::StatusOr<Assignment> Assign(const Graph& graph, const TensorTable& tensors,
                                    int64_t batch_size) const override;
  std::vector<std::string> Explain(const Graph& graph, const TensorTable& tensors,
                                   const Assignment& assignment, int64_t batch_size) const override;

 protected:
  // The group ids in the order in which they become low, each once; `elements` by group id.
  virtual std::vector<int> Order(const std::vector<int64_t>& elements) const = 0;
  // What a place in that order is called: "the 3rd largest". `place` counts from 1.
  virtual std::string Place(int place) const = 0;

 private:
  double low_ratio_;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_ORDERED_H_
