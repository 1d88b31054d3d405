// Where a tensor's kernels run.
//
//   kernels::Pack(KernelDeviceOf(tensor), ...);
//
// Without CUDA's headers: a device is reached through c10's guards, so that this builds with the
// LibTorch of a machine that has no GPU.
#ifndef MANTISSA_SERVER_ENGINE_DEVICE_H_
#define MANTISSA_SERVER_ENGINE_DEVICE_H_

#include "ATen/core/Tensor.h"
#include "kernels/packed/round.h"

namespace mantissa::engine {

// LibTorch's threads for a tensor on the CPU, the current stream for one on a GPU.
kernels::Device KernelDeviceOf(const at::Tensor& tensor);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_DEVICE_H_
