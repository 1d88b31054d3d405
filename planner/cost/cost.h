// planner/cost/cost.h
//
// What an assignment costs: elements and bits of all tensors of a training.
//
//   Cost cost = CostOf(tensors, assignment.formats, assignment.group_low, /*batch_size=*/128);
//
// Pure, O(tensors + groups log groups). Source: Lee, Sharma, Aiken, TMLR 2023, section 4.

#ifndef MANTISSA_PLANNER_COST_COST_H_
#define MANTISSA_PLANNER_COST_COST_H_

#include <cstdint>
#include <vector>

#include "kernels/formats/format.h"
#include "planner/graph/tensors.h"

namespace mantissa::planner {

// Cost of an assignment at a batch size.
struct Cost {
  int64_t total_elements = 0;
  int64_t bits = 0;
  int64_t bits_high = 0;  // every tensor at 16 bits
  int64_t bits_fp32 = 0;
  double ratio_low_groups = 0;  // share of elements in low groups
  // 2 * (bits_high - bits) / bits_high; 0 where the assignment is dearer than all high, as fp32 is.
  double ratio_low_bits = 0;
};

// `formats` by index into tensors.tensors(), `group_low` by group id. Also for formats that
// changed since by promotion. REQUIRES: at most kMaxElements elements.
Cost CostOf(const TensorTable& tensors, const std::vector<kernels::Format>& formats,
            const std::vector<bool>& group_low, int64_t batch_size);

// Most elements that a training may have: their bits, counted in 64-bit integers and in the doubles
// of JSON, stay exact.
inline constexpr int64_t kMaxElements = int64_t{1} << 47;

// Elements of all tensors as a double, which does not overflow.
double ApproximateElements(const TensorTable& tensors, int64_t batch_size);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_COST_COST_H_
