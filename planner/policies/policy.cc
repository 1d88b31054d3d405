#include "planner/policies/policy.h"

namespace mantissa::planner {

kernels::Format LowFormat(TensorKind kind) {
  switch (kind) {
    case TensorKind::kActivation:
    case TensorKind::kParameter:
      return kernels::kLowForward;
    case TensorKind::kActivationGradient:
      return kernels::kLowBackward;
    case TensorKind::kParameterGradient:
      return kernels::kHigh;
  }
  return kernels::kHigh;
}

}  // namespace mantissa::planner
