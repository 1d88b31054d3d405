#include "server/engine/device.h"

#include <cstdint>
#include <functional>

#include "ATen/Parallel.h"
#include "c10/core/Stream.h"
#include "c10/core/impl/VirtualGuardImpl.h"

namespace mantissa::engine {

kernels::Device KernelDeviceOf(const at::Tensor& tensor) {
  static const kernels::ParallelFor threads =
      [](int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
        at::parallel_for(0, n, grain, body);
      };
  if (!tensor.is_cuda()) return kernels::Device::Cpu(&threads);
  const c10::impl::VirtualGuardImpl guard(c10::DeviceType::CUDA);
  return kernels::Device::Cuda(guard.getStream(tensor.device()).native_handle());
}

}  // namespace mantissa::engine
