// planner/policies/budget.h
//
// Groups become low in the order in which they lower the predicted peak of a step most for the
// fewest elements: the peak depends on what is alive together, the paper's order only on sizes.
//
// Greedy: each next group is the one whose becoming low takes most bytes off the peak an element
// made low; where none lowers it (several moments are equally high), the one that takes most off
// the highest moment. Of equal ones the smaller id. Under a limit of memory, a beginning of that
// order is followed by one group that is enough with it, so that the fewest elements become low in
// all; those that were taken in vain come after it. O(groups^2 * tasks).

#ifndef MANTISSA_PLANNER_POLICIES_BUDGET_H_
#define MANTISSA_PLANNER_POLICIES_BUDGET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/ordered.h"

namespace mantissa::planner {

class Budget : public OrderedPolicy {
 public:
  Budget(double low_ratio, const PolicyContext& context)
      : OrderedPolicy(low_ratio, context), context_(context) {}

  std::vector<int> GroupOrder(const Graph& graph, const TensorTable& tensors,
                              int64_t batch_size) const override;

 protected:
  std::string Place(int place) const override;

 private:
  PolicyContext context_;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_BUDGET_H_
