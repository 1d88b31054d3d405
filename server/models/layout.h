// server/models/layout.h
//
// How a tensor lies in memory: sizes, and elements from one entry of a dimension to the next.

#ifndef MANTISSA_SERVER_MODELS_LAYOUT_H_
#define MANTISSA_SERVER_MODELS_LAYOUT_H_

#include <cstdint>
#include <vector>

namespace mantissa::models {

struct Layout {
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;

  // Whether elements lie in order, without gaps.
  bool IsContiguous() const;
  // Whether it can be shown in other sizes without a copy, as at::detail::computeStride decides.
  // REQUIRES: as many elements.
  bool CanShowAs(const std::vector<int64_t>& other) const;
};

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_LAYOUT_H_
