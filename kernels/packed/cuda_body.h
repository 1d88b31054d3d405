// How a kernel's front calls its CUDA body. Bodies register themselves at program start, so that
// programs without them need neither nvcc nor the CUDA runtime.
#ifndef MANTISSA_KERNELS_PACKED_CUDA_BODY_H_
#define MANTISSA_KERNELS_PACKED_CUDA_BODY_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace mantissa::kernels {

// The bodies that a front knows, a struct of pointers: null until they are registered.
template <typename Bodies>
Bodies& Registered() {
  static Bodies bodies;
  return bodies;
}

// Calls body(args...), a function that gives null or what went wrong. `what` is the work's name, as
// in "rounding".
template <typename Body, typename... Args>
absl::Status RunOnCuda(absl::string_view what, Body* body, Args... args) {
  if (body == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, " on a CUDA device was asked for, but this program holds no CUDA ",
                     "kernels. Link //kernels/packed:cuda, or use the CPU."));
  }
  const char* error = body(args...);
  if (error == nullptr) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(what, " on CUDA failed: ", error));
}

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_CUDA_BODY_H_
