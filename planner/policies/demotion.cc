#include "planner/policies/demotion.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "planner/policies/words.h"

namespace mantissa::planner {

std::vector<int> Demotion::GroupOrder(const Graph&, const TensorTable& tensors,
                                      int64_t batch_size) const {
  const std::vector<int64_t> elements = tensors.GroupElements(batch_size);
  std::vector<int> order(elements.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return elements[a] > elements[b]; });
  return order;
}

std::string Demotion::Place(int place) const {
  return place == 1 ? "the largest" : absl::StrCat("the ", Ordinal(place), " largest");
}

}  // namespace mantissa::planner
