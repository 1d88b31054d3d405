// The CUDA bodies of PackBlocks() and UnpackBlocks(). Compiled by nvcc, and by the host's compiler
// for the emulator.
//
// A block of threads packs a block of elements at a time: it finds their largest magnitude, then
// each thread looks its eight elements up in a table in shared memory.
#include <cstdint>

#include "kernels/emulation/cuda.h"
#include "kernels/packed/blockwise_core.h"
#include "kernels/packed/blockwise_cuda.h"
#include "kernels/packed/launch_cuda.h"
#include "kernels/packed/round_core.h"
#include "kernels/packed/words_cuda.h"

namespace mantissa::kernels {
namespace {

constexpr int kWarp = 32;
constexpr int kWarps = kThreads / kWarp;
// A thread's elements come in runs of kRun, 16 bytes, the threads' runs side by side.
constexpr int kRun = 4;
constexpr int kRuns = static_cast<int>(kBlockElements) / kThreads / kRun;
static_assert(kTableSize == kThreads, "a thread copies an entry");

__device__ constexpr BlockTableData kTables[2] = {MakeBlockTable(false), MakeBlockTable(true)};

struct PackShared {
  float middle[kTableSize];
  uint32_t largest[kWarps];
};

struct UnpackShared {
  float value[kTableSize];
};

// The largest of the block's words, for all of its threads.
__device__ inline uint32_t LargestOfBlock(uint32_t mine, PackShared& shared) {
  for (int delta = kWarp / 2; delta > 0; delta /= 2) {
    const uint32_t other = __shfl_down_sync(0xFFFFFFFFu, mine, delta);
    mine = other > mine ? other : mine;
  }
  if (threadIdx.x % kWarp == 0) shared.largest[threadIdx.x / kWarp] = mine;
  __syncthreads();
  uint32_t largest = 0;
  for (int w = 0; w < kWarps; ++w) {
    largest = shared.largest[w] > largest ? shared.largest[w] : largest;
  }
  __syncthreads();  // before the next block's largest are written
  return largest;
}

// `aligned`: wide to 16 bytes and codes to 4.
__global__ void __launch_bounds__(kThreads)
    PackBlocksKernel(bool has_sign, bool aligned, const float* wide, int64_t n, uint8_t* codes,
                     float* scales) {
  MANTISSA_SHARED(PackShared, shared);
  shared.middle[threadIdx.x] = kTables[has_sign].middle[threadIdx.x];
  const int64_t blocks = (n + kBlockElements - 1) / kBlockElements;
  for (int64_t block = blockIdx.x; block < blocks; block += gridDim.x) {
    Codes<4, kRun> in[kRuns];
    uint32_t largest = 0;
    for (int r = 0; r < kRuns; ++r) {
      const int64_t i = block * kBlockElements + (r * kThreads + int64_t{threadIdx.x}) * kRun;
      if (aligned && i + kRun <= n) {
        in[r] = Codes<4, kRun>::Load(wide, i);
      } else {
        for (int j = 0; j < kRun; ++j) {
          if (i + j < n) in[r].Set(j, BitsOf(wide[i + j]));
        }
      }
      for (int j = 0; j < kRun; ++j) {
        const uint32_t magnitude = in[r].Get(j) & ~kSignBit;
        largest = magnitude > largest ? magnitude : largest;
      }
    }
    largest = LargestOfBlock(largest, shared);
    const float scale = BlockScale(largest);
    if (threadIdx.x == 0) scales[block] = scale;
    for (int r = 0; r < kRuns; ++r) {
      const int64_t i = block * kBlockElements + (r * kThreads + int64_t{threadIdx.x}) * kRun;
      Codes<1, kRun> out;
      for (int j = 0; j < kRun; ++j) {
        out.Set(j, PlaceInTable(shared.middle, FloatOf(in[r].Get(j)), scale));
      }
      if (aligned && i + kRun <= n) {
        out.Store(codes, i);
      } else {
        for (int j = 0; j < kRun; ++j) {
          if (i + j < n) codes[i + j] = static_cast<uint8_t>(out.Get(j));
        }
      }
    }
  }
}

__global__ void __launch_bounds__(kThreads)
    UnpackBlocksKernel(bool has_sign, bool aligned, const uint8_t* codes, const float* scales,
                       int64_t n, float* wide) {
  MANTISSA_SHARED(UnpackShared, shared);
  shared.value[threadIdx.x] = kTables[has_sign].value[threadIdx.x];
  __syncthreads();
  const int64_t stride = int64_t{gridDim.x} * kThreads * kRun;
  for (int64_t i = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kRun; i < n; i += stride) {
    const float scale = scales[i / kBlockElements];
    if (aligned && i + kRun <= n) {
      const auto in = Codes<1, kRun>::Load(codes, i);
      Codes<4, kRun> out;
      for (int j = 0; j < kRun; ++j) out.Set(j, BitsOf(shared.value[in.Get(j)] * scale));
      out.Store(wide, i);
    } else {
      for (int j = 0; j < kRun; ++j) {
        if (i + j < n) wide[i + j] = shared.value[codes[i + j]] * scale;
      }
    }
  }
}

bool Aligned(const float* wide, const uint8_t* codes) {
  return reinterpret_cast<uintptr_t>(wide) % 16 == 0 && reinterpret_cast<uintptr_t>(codes) % 4 == 0;
}

const char* PackBlocksOnDevice(bool has_sign, const float* wide, int64_t n, uint8_t* codes,
                               float* scales, void* stream) {
  const Grid grid = GridFor((n + kBlockElements - 1) / kBlockElements * kThreads);
  if (grid.error != nullptr) return grid.error;
  MANTISSA_LAUNCH(PackBlocksKernel, grid.blocks, kThreads, static_cast<cudaStream_t>(stream))
  (has_sign, Aligned(wide, codes), wide, n, codes, scales);
  return LaunchError();
}

const char* UnpackBlocksOnDevice(bool has_sign, const uint8_t* codes, const float* scales,
                                 int64_t n, float* wide, void* stream) {
  const Grid grid = GridFor((n + kRun - 1) / kRun);
  if (grid.error != nullptr) return grid.error;
  MANTISSA_LAUNCH(UnpackBlocksKernel, grid.blocks, kThreads, static_cast<cudaStream_t>(stream))
  (has_sign, Aligned(wide, codes), codes, scales, n, wide);
  return LaunchError();
}

[[maybe_unused]] const bool registered =
    RegisterBlocksOnCuda(&PackBlocksOnDevice, &UnpackBlocksOnDevice);

}  // namespace
}  // namespace mantissa::kernels
