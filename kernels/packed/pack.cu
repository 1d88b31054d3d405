// The CUDA bodies of Round(), Pack() and Unpack(). Compiled by nvcc, and by the host's compiler for
// the emulator.
//
// Memory-bound: a thread takes 16 bytes of the wide tensor at a time, and the codes that belong to
// them. Counts stay in registers until the end; then a block adds each of its three with one
// atomic.
#include <cstdint>

#include "base/philox.h"
#include "kernels/emulation/cuda.h"
#include "kernels/packed/launch_cuda.h"
#include "kernels/packed/pack_core.h"
#include "kernels/packed/pack_cuda.h"
#include "kernels/packed/piece.h"
#include "kernels/packed/round_core.h"
#include "kernels/packed/words_cuda.h"

namespace mantissa::kernels {
namespace {

constexpr int kWarp = 32;
constexpr int kWarps = kThreads / kWarp;
constexpr int kCounts = 3;

using Count = unsigned long long;  // what atomicAdd takes

struct WarpCounts {
  Count values[kCounts][kWarps];
};

// RoundCounts of a thread, which sees less than 2^32 elements.
struct ThreadCounts {
  uint32_t overflow = 0, underflow = 0, nonfinite = 0;
};

// Where elements stand. Elements [head, head + groups * (elements a group)) are taken a group at a
// time, both sides of which are aligned and in one row; the others one at a time.
struct Layout {
  Piece piece;
  int64_t n, head, groups;
};

// Of element i of the wide side, in the packed tensor.
__device__ inline int64_t PlaceOf(const Piece& piece, int64_t i) {
  if (i < piece.length) return piece.first + i;
  int64_t row;
  if (((i | piece.length) >> 32) == 0) {  // 64-bit division takes several times as long
    row = static_cast<uint32_t>(i) / static_cast<uint32_t>(piece.length);
  } else {
    row = i / piece.length;
  }
  return piece.first + row * piece.stride + (i - row * piece.length);
}

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

__device__ inline Count SumOfWarp(Count value) {
  for (int delta = kWarp / 2; delta > 0; delta /= 2) {
    value += __shfl_down_sync(0xFFFFFFFFu, value, delta);
  }
  return value;
}

// Called by all threads of the block.
__device__ inline void AddCounts(const ThreadCounts& found, WarpCounts& shared,
                                 RoundCounts* counts) {
  const Count mine[kCounts] = {found.overflow, found.underflow, found.nonfinite};
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

template <Rounding kMode, int kElement, int kCode>
__device__ inline void PackGroup(const PackParams& params, const Layout& layout, const void* wide,
                                 void* codes, int64_t i, ThreadCounts* found) {
  constexpr int kCount = 16 / kElement;
  const int64_t place = PlaceOf(layout.piece, i);
  const auto in = Codes<kElement, kCount>::Load(wide, i);
  Codes<kCode, kCount> out;
  for (int quarter = 0; quarter < kCount; quarter += 4) {
    PhiloxBlock random = {};
    if constexpr (kMode == Rounding::kStochastic) {
      random = FourRandomWords(params.round.seed,
                               params.round.offset + static_cast<uint64_t>(place + quarter));
    }
    for (int j = 0; j < 4; ++j) {
      const uint32_t bits = UnpackBits(in.Get(quarter + j), params.element);
      out.Set(quarter + j, PackBits<kMode>(bits, random.word[j], params.round, params.code, found));
    }
  }
  out.Store(codes, place);
}

template <Rounding kMode, int kElement, int kCode>
__device__ inline void PackElement(const PackParams& params, const Layout& layout, const void* wide,
                                   void* codes, int64_t i, ThreadCounts* found) {
  const int64_t place = PlaceOf(layout.piece, i);
  uint32_t random = 0;
  if constexpr (kMode == Rounding::kStochastic) {
    random = RandomWord(params.round.seed, params.round.offset + static_cast<uint64_t>(place));
  }
  const uint32_t bits = UnpackBits(static_cast<const CodeType<kElement>*>(wide)[i], params.element);
  static_cast<CodeType<kCode>*>(codes)[place] =
      static_cast<CodeType<kCode>>(PackBits<kMode>(bits, random, params.round, params.code, found));
}

template <Rounding kMode, int kElement, int kCode>
__global__ void __launch_bounds__(kThreads)
    PackKernel(PackParams params, Layout layout, const void* wide, void* codes,
               RoundCounts* counts) {
  MANTISSA_SHARED(WarpCounts, shared);
  const int64_t first = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int64_t stride = int64_t{gridDim.x} * kThreads;
  constexpr int kCount = 16 / kElement;
  ThreadCounts found;
  for (int64_t g = first; g < layout.groups; g += stride) {
    PackGroup<kMode, kElement, kCode>(params, layout, wide, codes, layout.head + g * kCount,
                                      &found);
  }
  for (int64_t j = first; j < layout.n - layout.groups * kCount; j += stride) {
    const int64_t i = j < layout.head ? j : j + layout.groups * kCount;
    PackElement<kMode, kElement, kCode>(params, layout, wide, codes, i, &found);
  }
  AddCounts(found, shared, counts);
}

// The bits of a code's value, or of its sum with the element that stands there, as an element.
template <int kElement>
__device__ inline uint32_t Unpacked(uint32_t code, uint32_t element, const UnpackParams& params) {
  uint32_t bits = UnpackBits(code, params.code);
  if (params.add) bits = BitsOf(FloatOf(UnpackBits(element, params.element)) + FloatOf(bits));
  if (params.exact) return bits >> params.element.shift;
  ThreadCounts unused;
  return PackBits<Rounding::kNearestEven>(bits, 0, params.element_round, params.element, &unused);
}

template <int kElement, int kCode>
__global__ void __launch_bounds__(kThreads)
    UnpackKernel(UnpackParams params, Layout layout, const void* codes, void* wide) {
  const int64_t first = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int64_t stride = int64_t{gridDim.x} * kThreads;
  constexpr int kCount = 16 / kElement;
  for (int64_t g = first; g < layout.groups; g += stride) {
    const int64_t i = layout.head + g * kCount;
    const auto in = Codes<kCode, kCount>::Load(codes, PlaceOf(layout.piece, i));
    Codes<kElement, kCount> old, out;
    if (params.add) old = Codes<kElement, kCount>::Load(wide, i);
    for (int j = 0; j < kCount; ++j) out.Set(j, Unpacked<kElement>(in.Get(j), old.Get(j), params));
    out.Store(wide, i);
  }
  auto* elements = static_cast<CodeType<kElement>*>(wide);
  for (int64_t j = first; j < layout.n - layout.groups * kCount; j += stride) {
    const int64_t i = j < layout.head ? j : j + layout.groups * kCount;
    const uint32_t code = static_cast<const CodeType<kCode>*>(codes)[PlaceOf(layout.piece, i)];
    elements[i] = static_cast<CodeType<kElement>>(
        Unpacked<kElement>(code, params.add ? elements[i] : CodeType<kElement>{0}, params));
  }
}

// Groups are `count` elements of `element` and `code` bytes.
Layout LayoutOf(const Piece& piece, const void* wide, int element, const void* codes, int code) {
  const int count = 16 / element;
  const int64_t alignment = count * code < 16 ? count * code : 16;
  const auto aligned = [&](int64_t head) {
    const auto w = reinterpret_cast<uintptr_t>(wide) + static_cast<uintptr_t>(head * element);
    const auto c =
        reinterpret_cast<uintptr_t>(codes) + static_cast<uintptr_t>((piece.first + head) * code);
    return w % 16 == 0 && c % static_cast<uintptr_t>(alignment) == 0;
  };
  Layout layout = {.piece = piece, .n = piece.elements(), .head = 0, .groups = 0};
  const bool dense = piece.rows == 1 || piece.length == piece.stride;
  if (dense) {
    layout.piece.length = layout.n;
    while (layout.head < count && !aligned(layout.head)) ++layout.head;
    if (layout.head < count && layout.head < layout.n) {
      layout.groups = (layout.n - layout.head) / count;
      return layout;
    }
  } else if (aligned(0) && piece.length % count == 0 && piece.stride % count == 0) {
    layout.groups = layout.n / count;
    return layout;
  }
  layout.head = layout.n;
  return layout;
}

// Calls launch(kernel for elements and codes of these widths): Kernels::At<element, code>().
template <typename Kernels, typename Launch>
void ForWidths(int element, int code, const Launch& launch) {
  if (element == 4) {
    if (code == 1) return launch(Kernels::template At<4, 1>());
    if (code == 2) return launch(Kernels::template At<4, 2>());
    return launch(Kernels::template At<4, 4>());
  }
  if (code == 1) return launch(Kernels::template At<2, 1>());
  if (code == 2) return launch(Kernels::template At<2, 2>());
  launch(Kernels::template At<2, 4>());
}

template <Rounding kMode>
struct PackKernels {
  template <int kElement, int kCode>
  static auto At() {
    return &PackKernel<kMode, kElement, kCode>;
  }
};

struct UnpackKernels {
  template <int kElement, int kCode>
  static auto At() {
    return &UnpackKernel<kElement, kCode>;
  }
};

int64_t WorkOf(const Layout& layout, int element) {
  const int64_t rest = layout.n - layout.groups * (16 / element);
  return layout.groups > rest ? layout.groups : rest;
}

const char* PackOnDevice(Rounding rounding, const PackParams* params, const Piece* piece,
                         const void* wide, void* codes, RoundCounts* counts, void* stream) {
  const int element = params->element.bytes, code = params->code.bytes;
  const Layout layout = LayoutOf(*piece, wide, element, codes, code);
  const Grid grid = GridFor(WorkOf(layout, element));
  if (grid.error != nullptr) return grid.error;
  const auto launch = [&](auto kernel) {
    MANTISSA_LAUNCH(kernel, grid.blocks, kThreads, static_cast<cudaStream_t>(stream))
    (*params, layout, wide, codes, counts);
  };
  switch (rounding) {
    case Rounding::kNearestEven:
      ForWidths<PackKernels<Rounding::kNearestEven>>(element, code, launch);
      break;
    case Rounding::kNearestAway:
      ForWidths<PackKernels<Rounding::kNearestAway>>(element, code, launch);
      break;
    case Rounding::kStochastic:
      ForWidths<PackKernels<Rounding::kStochastic>>(element, code, launch);
      break;
    case Rounding::kReference:
      ForWidths<PackKernels<Rounding::kReference>>(element, code, launch);
      break;
  }
  return LaunchError();
}

const char* UnpackOnDevice(const UnpackParams* params, const Piece* piece, const void* codes,
                           void* wide, void* stream) {
  const int element = params->element.bytes, code = params->code.bytes;
  const Layout layout = LayoutOf(*piece, wide, element, codes, code);
  const Grid grid = GridFor(WorkOf(layout, element));
  if (grid.error != nullptr) return grid.error;
  ForWidths<UnpackKernels>(element, code, [&](auto kernel) {
    MANTISSA_LAUNCH(kernel, grid.blocks, kThreads, static_cast<cudaStream_t>(stream))
    (*params, layout, codes, wide);
  });
  return LaunchError();
}

[[maybe_unused]] const bool registered = RegisterPackOnCuda(&PackOnDevice, &UnpackOnDevice);

}  // namespace
}  // namespace mantissa::kernels
