// planner/policies/demotion.h
//
// The paper's policy: the largest groups become low first; of equal groups the one with the
// smaller id (Lee, Sharma, Aiken, TMLR 2023, section 4).

#ifndef MANTISSA_PLANNER_POLICIES_DEMOTION_H_
#define MANTISSA_PLANNER_POLICIES_DEMOTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/ordered.h"

namespace mantissa::planner {

class Demotion : public OrderedPolicy {
 public:
  using OrderedPolicy::OrderedPolicy;

  std::vector<int> GroupOrder(const Graph& graph, const TensorTable& tensors,
                              int64_t batch_size) const override;

 protected:
  std::string Place(int place) const override;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_DEMOTION_H_
