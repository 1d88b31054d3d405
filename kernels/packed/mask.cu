// The CUDA bodies of MaskPositive() and ApplyMask(). Compiled by nvcc, and by the host's compiler
// for the emulator.
//
// Memory-bound: a thread takes a byte of the mask and its eight elements, in accesses of 16 bytes
// where they are aligned.
#include <cstdint>

#include "kernels/emulation/cuda.h"
#include "kernels/packed/launch_cuda.h"
#include "kernels/packed/mask_cuda.h"
#include "kernels/packed/words_cuda.h"

namespace mantissa::kernels {
namespace {

constexpr int kBits = 8;

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    MaskPositiveKernel(uint32_t infinity, const void* wide, int64_t n, int64_t whole,
                       uint8_t* mask) {
  const int64_t stride = int64_t{gridDim.x} * kThreads;
  const auto* elements = static_cast<const CodeType<kWidth>*>(wide);
  for (int64_t b = int64_t{blockIdx.x} * kThreads + threadIdx.x; b * kBits < n; b += stride) {
    uint32_t byte = 0;
    if (b < whole) {
      const auto in = Codes<kWidth, kBits>::Load(wide, b * kBits);
      // From 1 to infinity: zero wraps around, and a sign or a NaN lies above.
      for (int j = 0; j < kBits; ++j) byte |= uint32_t{in.Get(j) - 1 < infinity} << j;
    } else {
      for (int j = 0; j < kBits && b * kBits + j < n; ++j) {
        byte |= uint32_t{elements[b * kBits + j] - 1u < infinity} << j;
      }
    }
    mask[b] = static_cast<uint8_t>(byte);
  }
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    ApplyMaskKernel(const uint8_t* mask, int64_t n, int64_t whole, void* wide) {
  const int64_t stride = int64_t{gridDim.x} * kThreads;
  auto* elements = static_cast<CodeType<kWidth>*>(wide);
  for (int64_t b = int64_t{blockIdx.x} * kThreads + threadIdx.x; b * kBits < n; b += stride) {
    const uint32_t byte = mask[b];
    if (b < whole) {
      const auto in = Codes<kWidth, kBits>::Load(wide, b * kBits);
      Codes<kWidth, kBits> out;
      for (int j = 0; j < kBits; ++j) out.Set(j, byte >> j & 1 ? in.Get(j) : 0);
      out.Store(wide, b * kBits);
    } else {
      for (int j = 0; j < kBits && b * kBits + j < n; ++j) {
        if ((byte >> j & 1) == 0) elements[b * kBits + j] = 0;
      }
    }
  }
}

// Bytes of the mask whose elements may be taken at once.
int64_t WholeBytes(const void* wide, int64_t n) {
  return reinterpret_cast<uintptr_t>(wide) % 16 == 0 ? n / kBits : 0;
}

const char* MaskPositiveOnDevice(int bytes, uint32_t infinity, const void* wide, int64_t n,
                                 uint8_t* mask, void* stream) {
  const Grid grid = GridFor((n + kBits - 1) / kBits);
  if (grid.error != nullptr) return grid.error;
  const auto kernel = bytes == 4 ? &MaskPositiveKernel<4> : &MaskPositiveKernel<2>;
  MANTISSA_LAUNCH(kernel, grid.blocks, kThreads, static_cast<cudaStream_t>(stream))
  (infinity, wide, n, WholeBytes(wide, n), mask);
  return LaunchError();
}

const char* ApplyMaskOnDevice(int bytes, const uint8_t* mask, int64_t n, void* wide, void* stream) {
  const Grid grid = GridFor((n + kBits - 1) / kBits);
  if (grid.error != nullptr) return grid.error;
  const auto kernel = bytes == 4 ? &ApplyMaskKernel<4> : &ApplyMaskKernel<2>;
  MANTISSA_LAUNCH(kernel, grid.blocks, kThreads, static_cast<cudaStream_t>(stream))
  (mask, n, WholeBytes(wide, n), wide);
  return LaunchError();
}

[[maybe_unused]] const bool registered =
    RegisterMaskOnCuda(&MaskPositiveOnDevice, &ApplyMaskOnDevice);

}  // namespace
}  // namespace mantissa::kernels
