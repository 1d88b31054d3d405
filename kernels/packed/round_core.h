// How one float32 is rounded, in integer and float32 operations that the CPU, its vector units and
// CUDA do alike. kernels/packed/round.h is the interface; this is what its bodies share. Example:
//
//   RoundParams params = ...;  // as Round() makes them of a RoundSpec
//   uint32_t bits = RoundBits<Rounding::kNearestEven>(x_bits, /*random=*/0, params, &counts);
//
// Free of any dependency, since nvcc compiles it too.
#ifndef MANTISSA_KERNELS_PACKED_ROUND_CORE_H_
#define MANTISSA_KERNELS_PACKED_ROUND_CORE_H_

#include <cstdint>
#include <cstring>

#include "base/philox.h"

namespace mantissa::kernels {

enum class Rounding {
  kNearestEven,  // ties to the even mantissa, as hardware does; rounds once
  kNearestAway,  // ties away from zero; rounds once
  kStochastic,   // up with the probability of the part cut off, so right on average
  // As the program published with the paper: half a unit is added to the bits and the rest cut off
  // (ties away). A magnitude below the smallest normal value N is first added to N in float32 (ties
  // to even), so subnormals round twice: 2^-14 * (1 - 2^-24) becomes 2^-13 in fp(4,3,4).
  kReference,
};

enum class Overflow {
  kSaturate,  // the format's largest value, with the sign: forward tensors
  kInfinity,  // infinity, so that loss scaling sees it: backward tensors
};

// Elements of the input. A rounded tensor has a non-finite element exactly if
// `nonfinite + overflow > 0` under kInfinity, and if it has a NaN under kSaturate.
struct RoundCounts {
  int64_t overflow = 0;   // at or over the overflow threshold; infinity is, NaN is not
  int64_t underflow = 0;  // not zero, became zero
  int64_t nonfinite = 0;  // infinity or NaN
};

inline constexpr uint32_t kSignBit = 0x80000000u;
inline constexpr uint32_t kInfinityBits = 0x7F800000u;
inline constexpr uint32_t kQuietBit = 0x00400000u;
inline constexpr uint32_t kOneBits = 0x3F800000u;

// A format and an overflow rule, as constants of the arithmetic below. "Bits" are those of a
// float32 magnitude, whose order as integers is their order as numbers.
struct RoundParams {
  uint32_t max_bits;       // largest value
  uint32_t overflow_bits;  // overflow threshold
  uint32_t overflow_to;    // what an overflow becomes
  // Below these bits a magnitude is subnormal in the format. 0 with 8 exponent bits, where
  // float32's own subnormals have the format's spacing and need no care.
  uint32_t subnormal_limit;
  uint32_t shift;    // mantissa bits to drop, 23 - m
  uint32_t half;     // half a unit in the last place kept
  uint32_t keep;     // mask of the bits kept
  float min_normal;  // added to a subnormal by kReference; 0 where subnormal_limit is
  float magic;       // adding and subtracting it rounds a subnormal to `unit`, ties to even
  float unit;        // smallest subnormal
  float half_unit;
  float unit_inverse;
  uint64_t seed;
  uint64_t offset;  // of the first element in the random stream
};

MANTISSA_HOST_DEVICE inline float FloatOf(uint32_t bits) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(bits);
#else
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
#endif
}

MANTISSA_HOST_DEVICE inline uint32_t BitsOf(float value) {
#ifdef __CUDA_ARCH__
  return __float_as_uint(value);
#else
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
#endif
}

// Words 4 * index to 4 * index + 3 of the random stream of `seed`.
MANTISSA_HOST_DEVICE constexpr PhiloxBlock RandomBlock(uint64_t seed, uint64_t index) {
  return Philox({{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), 0, 0}},
                {{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}});
}

// (k + 1/2) * 2^-23 for the top 23 random bits k: strictly between 0 and 1, and exact.
MANTISSA_HOST_DEVICE inline float UniformOf(uint32_t random) {
  return FloatOf(kOneBits | (random >> 9)) - (1.0f - 0x1p-24f);
}

// Rounds a magnitude of at most params.max_bits.
template <Rounding kMode>
MANTISSA_HOST_DEVICE inline uint32_t RoundMagnitude(uint32_t magnitude, uint32_t random,
                                                    const RoundParams& params) {
  const float x = FloatOf(magnitude);
  const bool subnormal = magnitude < params.subnormal_limit;
  if constexpr (kMode == Rounding::kReference) {
    const float base = subnormal ? params.min_normal : 0.0f;
    const uint32_t sum = BitsOf(x + base) + params.half;
    return BitsOf(FloatOf(sum & params.keep) - base);
  } else {
    float y = (x + params.magic) - params.magic;
    if constexpr (kMode == Rounding::kNearestEven) {
      const uint32_t odd = (magnitude >> params.shift) & 1;
      const uint32_t normal = (magnitude + (params.half - 1) + odd) & params.keep;
      return subnormal ? BitsOf(y) : normal;
    } else if constexpr (kMode == Rounding::kNearestAway) {
      if (x - y == params.half_unit) y += params.unit;
      return subnormal ? BitsOf(y) : (magnitude + params.half) & params.keep;
    } else {
      if (y > x) y -= params.unit;
      if (UniformOf(random) < (x - y) * params.unit_inverse) y += params.unit;
      const uint32_t dropped = random >> (32 - params.shift);
      return subnormal ? BitsOf(y) : (magnitude + dropped) & params.keep;
    }
  }
}

// Adds the bits of a float32 that became zero, or not, to the counts: RoundCounts, or the like with
// other integers.
template <typename Counts>
MANTISSA_HOST_DEVICE inline void CountBits(uint32_t magnitude, bool zero, const RoundParams& params,
                                           Counts* counts) {
  counts->overflow += magnitude >= params.overflow_bits && magnitude <= kInfinityBits;
  counts->underflow += magnitude != 0 && zero;
  counts->nonfinite += magnitude >= kInfinityBits;
}

// Rounds the bits of any float32 and counts it.
template <Rounding kMode, typename Counts>
MANTISSA_HOST_DEVICE inline uint32_t RoundBits(uint32_t bits, uint32_t random,
                                               const RoundParams& params, Counts* counts) {
  const uint32_t magnitude = bits & ~kSignBit;
  const uint32_t clipped = magnitude < params.max_bits ? magnitude : params.max_bits;
  uint32_t result = RoundMagnitude<kMode>(clipped, random, params);
  CountBits(magnitude, result == 0, params, counts);
  if (magnitude >= params.overflow_bits) result = params.overflow_to;
  if (magnitude > kInfinityBits) result = magnitude | kQuietBit;
  return result | (bits & kSignBit);
}

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_ROUND_CORE_H_
