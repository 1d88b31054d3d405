#include "planner/policies/random_order.h"

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "planner/policies/words.h"

namespace mantissa::planner {

std::vector<int> RandomOrder::GroupOrder(const Graph&, const TensorTable& tensors, int64_t) const {
  const std::vector<int64_t> order =
      RandomStream(seed_, /*stream=*/0).Permutation(tensors.group_count());
  return {order.begin(), order.end()};
}

std::string RandomOrder::Place(int place) const {
  return absl::StrCat("the ", Ordinal(place), " in the random order of seed ", seed_);
}

}  // namespace mantissa::planner
