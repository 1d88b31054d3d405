// LibTorch's half for CUDA, which a machine with a GPU adds to a program that was built without.
//
//   ASSIGN_OR_RETURN(at::Device device, OpenDevice(DeviceChoice::kAuto));
//   at::Tensor on_device = tensor.to(device);
//
// libtorch_cuda.so is 1 GB and needs 2 GB of NVIDIA's libraries; Python's torch of the same version
// brings both. It is looked for in the folder $MANTISSA_LIBTORCH_CUDA, else where the dynamic
// linker looks. REQUIRES: OpenDevice() comes before anything that asks LibTorch for CUDA, since
// LibTorch remembers the answer.
#ifndef MANTISSA_SERVER_ENGINE_GPU_H_
#define MANTISSA_SERVER_ENGINE_GPU_H_

#include <string>

#include "absl/status/statusor.h"
#include "c10/core/Device.h"
#include "server/engine/options.h"

namespace mantissa::engine {

// kAuto takes the first GPU if there is one and LibTorch can use it, else the CPU.
// FailedPrecondition where kCuda cannot be had: which part is missing and what helps.
absl::StatusOr<c10::Device> OpenDevice(DeviceChoice choice);

struct GpuInfo {
  std::string name;          // "NVIDIA H100 80GB HBM3"
  int major = 0, minor = 0;  // compute capability
};

// Of the current GPU. FailedPrecondition without one.
absl::StatusOr<GpuInfo> GetGpuInfo();

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_GPU_H_
