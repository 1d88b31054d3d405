// Neighbouring elements of 1, 2 or 4 bytes that a CUDA thread moves at a time, 16 bytes an access.
// Example:
//
//   auto in = Codes<2, 8>::Load(bf16s, 0);    // 8 elements; REQUIRES: aligned to 16 bytes
//   uint32_t third = in.Get(2);
#ifndef MANTISSA_KERNELS_PACKED_WORDS_CUDA_H_
#define MANTISSA_KERNELS_PACKED_WORDS_CUDA_H_

#include <cstdint>
#include <type_traits>

#include "kernels/emulation/cuda.h"

namespace mantissa::kernels {

template <int kWidth>
using CodeType =
    std::conditional_t<kWidth == 1, uint8_t, std::conditional_t<kWidth == 2, uint16_t, uint32_t>>;

template <int kBytes>
struct alignas(kBytes < 16 ? kBytes : 16) Words {
  uint32_t word[kBytes / 4];
};

// kCount elements of kWidth bytes. REQUIRES, of memory: aligned to all of them, or to 16 bytes.
template <int kWidth, int kCount>
struct Codes {
  static constexpr int kBytes = kWidth * kCount;
  Words<kBytes> words = {};

  // From element `place` of `from` on.
  __device__ static Codes Load(const void* from, int64_t place) {
    Codes codes;
    codes.words =
        *reinterpret_cast<const Words<kBytes>*>(static_cast<const uint8_t*>(from) + place * kWidth);
    return codes;
  }
  __device__ void Store(void* to, int64_t place) const {
    *reinterpret_cast<Words<kBytes>*>(static_cast<uint8_t*>(to) + place * kWidth) = words;
  }
  __device__ uint32_t Get(int i) const {
    return static_cast<CodeType<kWidth>>(words.word[i * kWidth / 4] >> (i * kWidth % 4 * 8));
  }
  // REQUIRES: element i was zero.
  __device__ void Set(int i, uint32_t code) {
    words.word[i * kWidth / 4] |= code << (i * kWidth % 4 * 8);
  }
};

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_WORDS_CUDA_H_
