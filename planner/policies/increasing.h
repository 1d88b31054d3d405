// planner/policies/increasing.h
//
// An ablation of demotion: the smallest groups become low first; of equal groups the one with the
// smaller id (Lee, Sharma, Aiken, TMLR 2023, section 5).

#ifndef MANTISSA_PLANNER_POLICIES_INCREASING_H_
#define MANTISSA_PLANNER_POLICIES_INCREASING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/ordered.h"

namespace mantissa::planner {

class Increasing : public OrderedPolicy {
 public:
  using OrderedPolicy::OrderedPolicy;

  std::vector<int> GroupOrder(const Graph& graph, const TensorTable& tensors,
                              int64_t batch_size) const override;

 protected:
  std::string Place(int place) const override;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_INCREASING_H_
