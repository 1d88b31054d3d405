// Small kernels for testing the emulator, right ones and wrong ones.
#ifndef MANTISSA_TESTS_KERNELS_EMULATION_KERNELS_H_
#define MANTISSA_TESTS_KERNELS_EMULATION_KERNELS_H_

#include "kernels/emulation/cuda.h"

namespace mantissa::kernels {

inline constexpr unsigned kBlock = 128;

struct WarpSums {
  int sums[kBlock / 32];
};

// *total += sum of in[0, gridDim * kBlock). Without its barrier it is wrong.
template <bool kWithBarrier>
__global__ void SumKernel(const int* in, int* total) {
  MANTISSA_SHARED(WarpSums, shared);
  int sum = in[blockIdx.x * kBlock + threadIdx.x];
  for (int delta = 16; delta > 0; delta /= 2) sum += __shfl_down_sync(0xFFFFFFFFu, sum, delta);
  if (threadIdx.x % 32 == 0) shared.sums[threadIdx.x / 32] = sum;
  if constexpr (kWithBarrier) __syncthreads();
  if (threadIdx.x == 0) {
    int block_sum = 0;
    for (const int warp_sum : shared.sums) block_sum += warp_sum;
    atomicAdd(total, block_sum);
  }
}

// out[warp] = the lanes whose in[] is odd.
__global__ inline void OddLanesKernel(const int* in, unsigned* out) {
  const unsigned i = blockIdx.x * kBlock + threadIdx.x;
  const unsigned odd = __ballot_sync(0xFFFFFFFFu, in[i] % 2 != 0);
  if (threadIdx.x % 32 == 0) out[i / 32] = odd;
}

// A barrier that the last warp never reaches.
__global__ inline void DivergentKernel() {
  if (threadIdx.x < kBlock - 32) __syncthreads();
}

// Reads `index` of an array of four in shared memory.
__global__ inline void SharedReadKernel(unsigned index, int* out) {
  MANTISSA_SHARED(WarpSums, shared);
  const int* sums = shared.sums;
  if (threadIdx.x == 0) *out = sums[index];
}

// Counts the blocks without an atomic.
__global__ inline void RacingBlocksKernel(int* blocks) {
  if (threadIdx.x == 0) *blocks = *blocks + 1;
}

}  // namespace mantissa::kernels

#endif  // MANTISSA_TESTS_KERNELS_EMULATION_KERNELS_H_
