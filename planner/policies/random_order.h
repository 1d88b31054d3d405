// planner/policies/random_order.h
//
// An ablation of demotion: groups become low in a random order, the same for the same seed and
// number of groups (Lee, Sharma, Aiken, TMLR 2023, section 5). The order is
// RandomStream(seed, 0).Permutation(groups).

#ifndef MANTISSA_PLANNER_POLICIES_RANDOM_ORDER_H_
#define MANTISSA_PLANNER_POLICIES_RANDOM_ORDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/policies/ordered.h"

namespace mantissa::planner {

class RandomOrder : public OrderedPolicy {
 public:
  RandomOrder(double low_ratio, const PolicyContext& context, uint64_t seed)
      : OrderedPolicy(low_ratio, context), seed_(seed) {}

  std::vector<int> GroupOrder(const Graph& graph, const TensorTable& tensors,
                              int64_t batch_size) const override;

 protected:
  std::string Place(int place) const override;

 private:
  uint64_t seed_;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_RANDOM_ORDER_H_
