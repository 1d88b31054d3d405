// The CUDA body of Round(). Compiled by nvcc, and by the host's compiler for the emulator.
//
// Memory-bound: a thread loads 16 bytes, rounds four elements, stores 16 bytes. Counts stay in
// registers until the end; then a block adds each of its three with one atomic.
#include <cstdint>

#include "base/philox.h"
#include "kernels/emulation/cuda.h"
#include "kernels/packed/round_core.h"
#include "kernels/packed/round_cuda.h"

namespace mantissa::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr int kWarps = kThreads / kWarp;
constexpr int kCounts = 3;
// Enough to fill every multiprocessor; more would only add atomics.
constexpr int64_t kBlocksPerProcessor = 8;

using Count = unsigned long long;  // what atomicAdd takes

struct WarpCounts {
  Count values[kCounts][kWarps];
};

__device__ inline uint32_t Select(bool second, uint32_t a, uint32_t b) { return second ? b : a; }

// Word `index` of the random stream. No array is indexed by a variable: it would live in memory.
__device__ inline uint32_t RandomWord(uint64_t seed, uint64_t index) {
  const PhiloxBlock block = RandomBlock(seed, index / 4);
  const uint32_t low = Select(index & 1, block.word[0], block.word[1]);
  const uint32_t high = Select(index & 1, block.word[2], block.word[3]);
  return Select(index & 2, low, high);
}

// Words index to index + 3.
__device__ inline PhiloxBlock FourRandomWords(uint64_t seed, uint64_t index) {
  const PhiloxBlock a = RandomBlock(seed, index / 4);
  if (index % 4 == 0) return a;
  const PhiloxBlock b = RandomBlock(seed, index / 4 + 1);
  const bool two = index & 2, one = index & 1;
  const uint32_t w0 = Select(two, a.word[0], a.word[2]);
  const uint32_t w1 = Select(two, a.word[1], a.word[3]);
  const uint32_t w2 = Select(two, a.word[2], b.word[0]);
  const uint32_t w3 = Select(two, a.word[3], b.word[1]);
  const uint32_t w4 = Select(two, b.word[0], b.word[2]);
  return {{Select(one, w0, w1), Select(one, w1, w2), Select(one, w2, w3), Select(one, w3, w4)}};
}

template <Rounding kMode>
__device__ inline float RoundOne(float x, uint32_t random, const RoundParams& params,
                                 RoundCounts* counts) {
  return FloatOf(RoundBits<kMode>(BitsOf(x), random, params, counts));
}

template <Rounding kMode>
__device__ inline float4 RoundFour(float4 x, int64_t index, const RoundParams& params,
                                   RoundCounts* counts) {
  PhiloxBlock random = {};
  if constexpr (kMode == Rounding::kStochastic) {
    random = FourRandomWords(params.seed, params.offset + static_cast<uint64_t>(index));
  }
  return make_float4(RoundOne<kMode>(x.x, random.word[0], params, counts),
                     RoundOne<kMode>(x.y, random.word[1], params, counts),
                     RoundOne<kMode>(x.z, random.word[2], params, counts),
                     RoundOne<kMode>(x.w, random.word[3], params, counts));
}

__device__ inline Count SumOfWarp(Count value) {
  for (int delta = kWarp / 2; delta > 0; delta /= 2) {
    value += __shfl_down_sync(0xFFFFFFFFu, value, delta);
  }
  return value;
}

// Called by all threads of the block.
__device__ inline void AddCounts(const RoundCounts& found, WarpCounts& shared,
                                 RoundCounts* counts) {
  const Count mine[kCounts] = {static_cast<Count>(found.overflow),
                               static_cast<Count>(found.underflow),
                               static_cast<Count>(found.nonfinite)};
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  for (int c = 0; c < kCounts; ++c) {
    const Count sum = SumOfWarp(mine[c]);
    if (lane == 0) shared.values[c][warp] = sum;
  }
  __syncthreads();
  if (threadIdx.x < kCounts) {
    Count sum = 0;
    for (int w = 0; w < kWarps; ++w) sum += shared.values[threadIdx.x][w];
    Count* fields = reinterpret_cast<Count*>(counts);
    if (sum != 0) atomicAdd(fields + threadIdx.x, sum);
  }
}
static_assert(sizeof(RoundCounts) == kCounts * sizeof(Count), "AddCounts indexes its fields");

// Elements [head, head + 4 * groups) are 16-byte aligned in both tensors and taken four at a time,
// the others one at a time.
template <Rounding kMode>
__global__ void __launch_bounds__(kThreads)
    RoundKernel(RoundParams params, const float* in, float* out, int64_t n, int64_t head,
                int64_t groups, RoundCounts* counts) {
  MANTISSA_SHARED(WarpCounts, shared);
  const int64_t first = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int64_t stride = int64_t{gridDim.x} * kThreads;
  RoundCounts found;
  const float4* in4 = reinterpret_cast<const float4*>(in + head);
  float4* out4 = reinterpret_cast<float4*>(out + head);
  for (int64_t g = first; g < groups; g += stride) {
    out4[g] = RoundFour<kMode>(in4[g], head + 4 * g, params, &found);
  }
  for (int64_t j = first; j < n - 4 * groups; j += stride) {
    const int64_t i = j < head ? j : j + 4 * groups;
    uint32_t random = 0;
    if constexpr (kMode == Rounding::kStochastic) {
      random = RandomWord(params.seed, params.offset + static_cast<uint64_t>(i));
    }
    out[i] = RoundOne<kMode>(in[i], random, params, &found);
  }
  AddCounts(found, shared, counts);
}

// Elements before the first 16-byte boundary that both tensors share; n if they share none.
int64_t HeadOf(const float* in, const float* out, int64_t n) {
  const uintptr_t in_bytes = reinterpret_cast<uintptr_t>(in) % 16;
  const uintptr_t out_bytes = reinterpret_cast<uintptr_t>(out) % 16;
  if (in_bytes != out_bytes || in_bytes % sizeof(float) != 0) return n;
  const int64_t head = static_cast<int64_t>((16 - in_bytes) % 16 / sizeof(float));
  return head < n ? head : n;
}

const char* RoundOnDevice(Rounding rounding, const RoundParams* params, const float* in, float* out,
                          int64_t n, RoundCounts* counts, void* stream) {
  int device = 0, processors = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) {
    error = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  }
  if (error != cudaSuccess) return cudaGetErrorString(error);

  const int64_t head = HeadOf(in, out, n), groups = (n - head) / 4;
  const int64_t rest = n - 4 * groups, work = groups > rest ? groups : rest;
  const int64_t wanted = (work + kThreads - 1) / kThreads, most = processors * kBlocksPerProcessor;
  const unsigned blocks = static_cast<unsigned>(wanted < most ? wanted : most);
  const auto on_stream = static_cast<cudaStream_t>(stream);
  const auto launch = [&](auto kernel) {
    MANTISSA_LAUNCH(kernel, blocks, kThreads, on_stream)
    (*params, in, out, n, head, groups, counts);
  };
  switch (rounding) {
    case Rounding::kNearestEven:
      launch(RoundKernel<Rounding::kNearestEven>);
      break;
    case Rounding::kNearestAway:
      launch(RoundKernel<Rounding::kNearestAway>);
      break;
    case Rounding::kStochastic:
      launch(RoundKernel<Rounding::kStochastic>);
      break;
    case Rounding::kReference:
      launch(RoundKernel<Rounding::kReference>);
      break;
  }
  error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

[[maybe_unused]] const bool registered = RegisterRoundOnCuda(&RoundOnDevice);

}  // namespace
}  // namespace mantissa::kernels
