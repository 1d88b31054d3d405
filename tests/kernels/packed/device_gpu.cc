// The CUDA bodies on the machine's GPU, where there is one.
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "tests/kernels/packed/device.h"

namespace mantissa::kernels {
namespace {

absl::Status StatusOf(cudaError_t error) {
  return error == cudaSuccess ? absl::OkStatus() : absl::InternalError(cudaGetErrorString(error));
}

}  // namespace

std::string WhyNoDevice() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) return cudaGetErrorString(error);
  return count == 0 ? "this machine has no GPU" : "";
}

double DeviceEffort() { return 1; }

Device DeviceUnderTest(uint64_t) { return Device::Cuda(nullptr); }

void* AllocateOnDevice(size_t bytes) {
  void* memory = nullptr;
  return cudaMalloc(&memory, bytes) == cudaSuccess ? memory : nullptr;
}

void FreeOnDevice(void* memory) { cudaFree(memory); }

absl::Status CopyToDevice(void* to, const void* from, size_t bytes) {
  return StatusOf(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice));
}

absl::Status CopyFromDevice(void* to, const void* from, size_t bytes) {
  return StatusOf(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost));
}

}  // namespace mantissa::kernels
