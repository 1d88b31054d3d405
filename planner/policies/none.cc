#include "planner/policies/none.h"

namespace mantissa::planner {

absl::StatusOr<Assignment> None::Assign(const Graph&, const TensorTable& tensors, int64_t) const {
  return Assignment{
      .formats = std::vector<kernels::Format>(tensors.tensors().size(), kernels::kFp32),
      .group_low = std::vector<bool>(tensors.group_count(), false)};
}

std::vector<std::string> None::Explain(const Graph&, const TensorTable& tensors, const Assignment&,
                                       int64_t) const {
  return std::vector<std::string>(tensors.tensors().size(),
                                  "policy none rounds nothing: every tensor is fp32.");
}

}  // namespace mantissa::planner
