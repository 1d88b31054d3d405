#include "server/models/layout.h"

#include <algorithm>

namespace mantissa::models {

bool Layout::IsContiguous() const {
  int64_t expected = 1;
  for (size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] == 1) continue;
    if (strides[i] != expected) return false;
    expected *= sizes[i];
  }
  return true;
}

bool Layout::CanShowAs(const std::vector<int64_t>& other) const {
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return true;
  // From the last dimension on: dimensions that lie in order, seen as one, must hold whole new
  // ones.
  size_t next = other.size();
  int64_t stretch = 1, taken = 1;
  int64_t base = strides.empty() ? 1 : strides.back();
  for (size_t i = sizes.size(); i-- > 0;) {
    stretch *= sizes[i];
    const bool in_order =
        i > 0 && (sizes[i - 1] == 1 || strides[i - 1] == __int128{stretch} * base);
    if (in_order) continue;
    while (next > 0 && (taken < stretch || other[next - 1] == 1)) taken *= other[--next];
    if (taken != stretch) return false;
    stretch = taken = 1;
    if (i > 0) base = strides[i - 1];
  }
  // What is left has size 1: the tensor has no dimensions.
  while (next > 0 && other[next - 1] == 1) --next;
  return next == 0;
}

}  // namespace mantissa::models
