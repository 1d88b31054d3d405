// What the CUDA bodies share: how many threads a launch has, and what went wrong with it.
#ifndef MANTISSA_KERNELS_PACKED_LAUNCH_CUDA_H_
#define MANTISSA_KERNELS_PACKED_LAUNCH_CUDA_H_

#include <cstdint>

#include "kernels/emulation/cuda.h"

namespace mantissa::kernels {

// Of a block.
inline constexpr int kThreads = 256;

struct Grid {
  unsigned blocks = 0;
  const char* error = nullptr;  // a text that lives forever
};

// Blocks for threads that share `work` pieces of work in a loop: enough to fill every
// multiprocessor; more would only add atomics.
inline Grid GridFor(int64_t work) {
  constexpr int64_t kBlocksPerProcessor = 8;
  int device = 0, processors = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) {
    error = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  }
  if (error != cudaSuccess) return {.blocks = 0, .error = cudaGetErrorString(error)};
  const int64_t wanted = (work + kThreads - 1) / kThreads, most = processors * kBlocksPerProcessor;
  return {.blocks = static_cast<unsigned>(wanted < most ? wanted : most), .error = nullptr};
}

// Of the launches since the last call; null if there was none.
inline const char* LaunchError() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_LAUNCH_CUDA_H_
