#include "planner/policies/autocast.h"

#include "planner/policies/gemm_tensors.h"

namespace mantissa::planner {

absl::StatusOr<Assignment> Autocast::Assign(const Graph& graph, const TensorTable& tensors,
                                            int64_t) const {
  std::vector<std::string> reasons;
  return AssignTensors(tensors, GemmTensors(graph, tensors, reasons));
}

std::vector<std::string> Autocast::Explain(const Graph& graph, const TensorTable& tensors,
                                           const Assignment&, int64_t) const {
  std::vector<std::string> reasons;
  GemmTensors(graph, tensors, reasons);
  return reasons;
}

}  // namespace mantissa::planner
