// What a .cu file of ours includes instead of cuda_runtime.h, so that the same source is compiled
// by nvcc for the GPU and by the host's compiler for the emulator. Example:
//
//   struct Sums { float warp[32]; };
//   __global__ void Sum(const float* in, float* out) {
//     MANTISSA_SHARED(Sums, sums);   // at the top of the kernel, before any other work
//     ...
//   }
//   MANTISSA_LAUNCH(Sum, grid, block, stream)(in, out);
//
// Under emulation this covers one-dimensional grids and blocks of whole warps, __syncthreads,
// __syncwarp, __shfl_down_sync and __ballot_sync over full warps, atomicAdd, float4 and the few
// runtime calls below. It says nothing of speed.
#ifndef MANTISSA_KERNELS_EMULATION_CUDA_H_
#define MANTISSA_KERNELS_EMULATION_CUDA_H_

#ifdef __CUDACC__

#include <cuda_runtime.h>

#define MANTISSA_SHARED(type, name) __shared__ type name
#define MANTISSA_LAUNCH(kernel, grid, block, stream) kernel<<<(grid), (block), 0, (stream)>>>

#else

#include <atomic>
#include <cstdint>
#include <cstring>

#include "kernels/emulation/emulator.h"

#define MANTISSA_SHARED(type, name) \
  static const char name##_tag = 0; \
  type& name = *static_cast<type*>(::mantissa::emulation::SharedMemory(&name##_tag, sizeof(type)))
#define MANTISSA_LAUNCH(kernel, grid, block, stream) \
  ::mantissa::emulation::Bind((kernel), (grid), (block), (stream))

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define threadIdx (::mantissa::emulation::CurrentThread().thread)
#define blockIdx (::mantissa::emulation::CurrentThread().block)
#define blockDim (::mantissa::emulation::CurrentThread().threads_per_block)
#define gridDim (::mantissa::emulation::CurrentThread().blocks)

struct alignas(16) float4 {
  float x, y, z, w;
};

inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

using cudaStream_t = void*;
enum cudaError_t { cudaSuccess = 0, cudaErrorLaunchFailure = 719 };
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount = 16 };

// The error of the launches since the last call: a divergent barrier, say.
inline cudaError_t cudaGetLastError() {
  return ::mantissa::emulation::TakeError() ? cudaErrorLaunchFailure : cudaSuccess;
}
inline const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : ::mantissa::emulation::ErrorText();
}
inline cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = 1;
  return cudaSuccess;
}

inline void __syncthreads() { ::mantissa::emulation::BlockBarrier(); }
inline void __syncwarp() { ::mantissa::emulation::WarpBarrier(); }

template <typename T>
T __shfl_down_sync(unsigned, T value, unsigned delta) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t word = 0;
  std::memcpy(&word, &value, sizeof(T));
  const unsigned lane = threadIdx.x % ::mantissa::emulation::kWarpSize + delta;
  word = ::mantissa::emulation::Exchange(word, lane);
  std::memcpy(&value, &word, sizeof(T));
  return value;
}

inline unsigned __ballot_sync(unsigned, bool predicate) {
  return ::mantissa::emulation::Ballot(predicate);
}

template <typename T>
T atomicAdd(T* address, T value) {
  return std::atomic_ref<T>(*address).fetch_add(value, std::memory_order_relaxed);
}

#endif  // __CUDACC__

#endif  // MANTISSA_KERNELS_EMULATION_CUDA_H_
