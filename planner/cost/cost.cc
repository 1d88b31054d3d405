#include "planner/cost/cost.h"

#include <algorithm>
#include <functional>

namespace mantissa::planner {
namespace {

// The shares are added one by one, the largest first, as the paper's program does: so the sum is
// the same double as its.
double LowShare(const std::vector<int64_t>& elements, const std::vector<bool>& low, int64_t total) {
  std::vector<int64_t> low_elements;
  for (size_t group = 0; group < elements.size(); ++group) {
    if (low[group]) low_elements.push_back(elements[group]);
  }
  if (low_elements.size() == elements.size()) return 1;
  std::sort(low_elements.begin(), low_elements.end(), std::greater<>());
  double share = 0;
  for (const int64_t count : low_elements) {
    share += static_cast<double>(count) / static_cast<double>(total);
  }
  return share;
}

}  // namespace

Cost CostOf(const TensorTable& tensors, const std::vector<kernels::Format>& formats,
            const std::vector<bool>& group_low, int64_t batch_size) {
  Cost cost;
  for (size_t i = 0; i < tensors.tensors().size(); ++i) {
    const Tensor& tensor = tensors.tensors()[i];
    const int64_t elements = tensor.Elements(batch_size);
    cost.total_elements += elements;
    cost.bits += elements * formats[i].bits();
  }
  cost.bits_high = cost.total_elements * kernels::kHigh.bits();
  cost.bits_fp32 = cost.total_elements * kernels::kFp32.bits();
  if (cost.total_elements == 0) return cost;
  cost.ratio_low_groups =
      LowShare(tensors.GroupElements(batch_size), group_low, cost.total_elements);
  cost.ratio_low_bits = std::max(0.0, static_cast<double>(2 * (cost.bits_high - cost.bits)) /
                                          static_cast<double>(cost.bits_high));
  return cost;
}

double ApproximateElements(const TensorTable& tensors, int64_t batch_size) {
  double total = 0;
  for (const Tensor& tensor : tensors.tensors()) {
    total += ApproximateElements(tensor.shape, batch_size);
  }
  return total;
}

}  // namespace mantissa::planner
