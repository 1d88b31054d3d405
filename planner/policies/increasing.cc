#include "planner/policies/increasing.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "planner/policies/words.h"

namespace mantissa::planner {

std::vector<int> Increasing::GroupOrder(const Graph&, const TensorTable& tensors,
                                        int64_t batch_size) const {
  const std::vector<int64_t> elements = tensors.GroupElements(batch_size);
  std::vector<int> order(elements.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return elements[a] < elements[b]; });
  return order;
}

std::string Increasing::Place(int place) const {
  return place == 1 ? "the smallest" : absl::StrCat("the ", Ordinal(place), " smallest");
}

}  // namespace mantissa::planner
