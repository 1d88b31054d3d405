#include "planner/policies/assign.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace mantissa::planner {

Assignment AssignGroups(const TensorTable& tensors, std::vector<bool> group_low) {
  Assignment assignment;
  assignment.formats.reserve(tensors.tensors().size());
  for (const Tensor& tensor : tensors.tensors()) {
    assignment.formats.push_back(group_low[tensor.group] ? LowFormat(tensor.kind) : kernels::kHigh);
  }
  assignment.group_low = std::move(group_low);
  return assignment;
}

std::vector<std::string> ExplainGroups(const TensorTable& tensors, const Assignment& assignment,
                                       const std::vector<std::string>& reasons) {
  std::vector<std::string> sentences;
  sentences.reserve(tensors.tensors().size());
  for (const Tensor& tensor : tensors.tensors()) {
    const bool stays_high =
        assignment.group_low[tensor.group] && tensor.kind == TensorKind::kParameterGradient;
    sentences.push_back(
        absl::StrCat(reasons[tensor.group],
                     stays_high ? "; gradients of parameters stay high all the same." : "."));
  }
  return sentences;
}

}  // namespace mantissa::planner
