// planner/policies/gemm_tensors.h
//
// The tensors that matrix products read, forward and backward; what the operator-based and the
// autocast-like policy have in common.
//
//   std::vector<bool> low = GemmTensors(graph, tensors, reasons);
//   return AssignTensors(tensors, low);

#ifndef MANTISSA_PLANNER_POLICIES_GEMM_TENSORS_H_
#define MANTISSA_PLANNER_POLICIES_GEMM_TENSORS_H_

#include <string>
#include <vector>

#include "planner/policies/policy.h"

namespace mantissa::planner {

// By index into tensors.tensors(): whether a convolution or linear layer reads it as an operand of
// one of its three products: y = x w, dx = dy w, dw = x dy. So weight and bias, the v it reads and
// the gradient of its output. Sets a sentence for each tensor, marked or not, in `reasons`.
std::vector<bool> GemmTensors(const Graph& graph, const TensorTable& tensors,
                              std::vector<std::string>& reasons);

// The marked tensors low, the others high; no group is low as such.
Assignment AssignTensors(const TensorTable& tensors, const std::vector<bool>& low);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_POLICIES_GEMM_TENSORS_H_
