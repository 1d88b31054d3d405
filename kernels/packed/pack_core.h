// How one value is written as the code of a format and read back, in integer and float32 operations
// that the CPU, its vector units and CUDA do alike. kernels/packed/pack.h is the interface and says
// what the codes are; this is what its bodies share. Example:
//
//   uint32_t code = PackBits<Rounding::kNearestEven>(x_bits, /*random=*/0, params, &counts);
//   uint32_t bits = UnpackBits(code, params.code);
//
// A bf16 or fp16 element of a wide tensor is a code too, that of kBf16 or kFp16.
//
// Free of any dependency, since nvcc compiles it too.
#ifndef MANTISSA_KERNELS_PACKED_PACK_CORE_H_
#define MANTISSA_KERNELS_PACKED_PACK_CORE_H_

#include <cstdint>

#include "base/philox.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// The codes of a format, as constants of the arithmetic below. A code without its sign is the
// place of a magnitude among all of the format.
struct CodeParams {
  int bytes;
  uint32_t shift;  // mantissa bits that the format lacks, 23 - m
  uint32_t sign;   // code of minus zero
  // The float32 bits of the smallest normal value, and itself. 0 with 8 exponent bits, where a code
  // is the upper part of a float32.
  uint32_t subnormal_limit;
  float min_normal;
  uint32_t max;  // code of the largest value
  // Codes from here on up to `sign` are infinity and NaNs; `sign` if the format has none.
  uint32_t infinity;
  uint32_t nan;
  bool reserved;  // whether infinity, minus zero and a NaN's sign have codes
};

// What packing needs: the rounding, its format's codes, and those of the wide tensor's elements.
struct PackParams {
  RoundParams round;
  CodeParams code;
  CodeParams element;
};

// What unpacking needs: the codes, and the rounding to the wide tensor's elements.
struct UnpackParams {
  CodeParams code;
  RoundParams element_round;
  CodeParams element;
  bool add;
  // Whether what is written are the upper parts of float32 values, with nothing to round.
  bool exact;
};

// What an overflow is packed as.
MANTISSA_HOST_DEVICE inline uint32_t OverflowCode(const RoundParams& round, const CodeParams& p) {
  return round.overflow_to < kInfinityBits ? p.max : p.infinity;
}

// The code of a finite magnitude; one that is no value of the format is rounded to the nearest,
// ties to even, on the way. REQUIRES: subnormal_limit > 0, and a magnitude of at most the largest
// value. Adding a power of two that is 2^shift units away leaves the units in the sum's low bits.
MANTISSA_HOST_DEVICE inline uint32_t CodeOfMagnitude(uint32_t magnitude, const CodeParams& p) {
  uint32_t exponent = magnitude & kInfinityBits;
  if (exponent < p.subnormal_limit) exponent = p.subnormal_limit;
  const uint32_t power = exponent + (p.shift << 23);
  const uint32_t units = BitsOf(FloatOf(magnitude) + FloatOf(power)) - power;
  return units + ((exponent - p.subnormal_limit) >> p.shift);
}

// Rounds the bits of any float32 as RoundBits() does, counts it, and gives its code.
template <Rounding kMode, typename Counts>
MANTISSA_HOST_DEVICE inline uint32_t PackBits(uint32_t bits, uint32_t random,
                                              const RoundParams& round, const CodeParams& p,
                                              Counts* counts) {
  if (p.subnormal_limit == 0) return RoundBits<kMode>(bits, random, round, counts) >> p.shift;
  const uint32_t magnitude = bits & ~kSignBit;
  uint32_t rounded = magnitude < round.max_bits ? magnitude : round.max_bits;
  if constexpr (kMode != Rounding::kNearestEven) {
    rounded = RoundMagnitude<kMode>(rounded, random, round);
  }
  uint32_t code = CodeOfMagnitude(rounded, p);
  CountBits(magnitude, code == 0, round, counts);
  const bool has_sign = (bits & kSignBit) != 0 && (code != 0 || p.reserved);
  if (magnitude >= round.overflow_bits) code = OverflowCode(round, p);
  if (magnitude > kInfinityBits) code = p.nan;
  return has_sign ? code | p.sign : code;
}

// The float32 bits of a code.
MANTISSA_HOST_DEVICE inline uint32_t UnpackBits(uint32_t code, const CodeParams& p) {
  if (p.subnormal_limit == 0) return code << p.shift;
  const uint32_t magnitude = code & (p.sign - 1);
  const uint32_t sign = code & p.sign ? kSignBit : 0;
  const uint32_t shifted = magnitude << p.shift;
  if (!p.reserved && code == p.nan) return kInfinityBits | kQuietBit;
  if (magnitude >= p.infinity) return sign | kInfinityBits | shifted;
  // With the hidden bit one too high for a subnormal, which is then taken away.
  const bool normal = magnitude >> (23 - p.shift) != 0;
  const float value = FloatOf(shifted + p.subnormal_limit - (normal ? 1u << 23 : 0));
  return sign | BitsOf(value - (normal ? 0.0f : p.min_normal));
}

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_PACK_CORE_H_
