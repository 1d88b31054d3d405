// The arithmetic of round_core.h and pack_core.h on vectors, for the CPU bodies. Highway compiles
// it once for each instruction set.
#if defined(MANTISSA_KERNELS_PACKED_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MANTISSA_KERNELS_PACKED_LANES_INL_H_
#undef MANTISSA_KERNELS_PACKED_LANES_INL_H_
#else
#define MANTISSA_KERNELS_PACKED_LANES_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/packed/pack_core.h"
#include "kernels/packed/round_core.h"

HWY_BEFORE_NAMESPACE();
namespace mantissa::kernels {
namespace HWY_NAMESPACE {

namespace hn = ::hwy::HWY_NAMESPACE;

using IntTag = hn::ScalableTag<int32_t>;
using FloatTag = hn::ScalableTag<float>;
using WordTag = hn::ScalableTag<uint32_t>;
using PairTag = hn::ScalableTag<uint64_t>;
using Ints = hn::Vec<IntTag>;
using Floats = hn::Vec<FloatTag>;

// Of Philox 4x32-10, as in base/philox.h.
constexpr int kPhiloxRounds = 10;
constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u, kPhiloxMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u, kPhiloxWeyl1 = 0xBB67AE85u;

// Magnitudes are kept as int32, in which the instruction sets below AVX-512 can compare.
struct Constants {
  explicit Constants(const RoundParams& p)
      : max(Int(p.max_bits)),
        below_overflow(Int(p.overflow_bits - 1)),
        overflow_to(Int(p.overflow_to)),
        subnormal_limit(Int(p.subnormal_limit)),
        exponent_shift(Int(p.shift << 23)),
        below_unit(hn::Set(WordTag(), (p.unit > 0 ? BitsOf(p.unit) : 1u << p.shift) - 1)),
        half(Int(p.half)),
        keep(Int(p.keep)),
        min_normal(hn::Set(FloatTag(), p.min_normal)),
        magic(hn::Set(FloatTag(), p.magic)),
        unit(hn::Set(FloatTag(), p.unit)),
        half_unit(hn::Set(FloatTag(), p.half_unit)),
        unit_inverse(hn::Set(FloatTag(), p.unit_inverse)),
        shift(static_cast<int>(p.shift)) {}

  static Ints Int(uint32_t bits) { return hn::Set(IntTag(), static_cast<int32_t>(bits)); }

  Ints max, below_overflow, overflow_to, subnormal_limit, exponent_shift;
  hn::Vec<WordTag> below_unit;  // below the smallest subnormal
  Ints half, keep;
  Floats min_normal, magic, unit, half_unit, unit_inverse;
  int shift;
};

// Minus the number of elements of each kind, by lane. Zeros and NaNs are counted on both sides.
struct LaneCounts {
  // Not by initialisers at the members: their constructor would miss the target's attributes.
  LaneCounts()
      : overflow_or_nan(hn::Zero(IntTag())),
        nan(overflow_or_nan),
        nonfinite(overflow_or_nan),
        zero_out(overflow_or_nan),
        zero_in(overflow_or_nan) {}

  Ints overflow_or_nan, nan, nonfinite, zero_out, zero_in;
};

HWY_INLINE Floats AsFloats(Ints v) { return hn::BitCast(FloatTag(), v); }
HWY_INLINE Ints AsInts(Floats v) { return hn::BitCast(IntTag(), v); }

// UniformOf() of round_core.h.
HWY_INLINE Floats Uniform(Ints random) {
  const FloatTag df;
  const Ints top = hn::BitCast(IntTag(), hn::ShiftRight<9>(hn::BitCast(WordTag(), random)));
  return AsFloats(top | Constants::Int(kOneBits)) - hn::Set(df, 1.0f - 0x1p-24f);
}

// RoundMagnitude() of round_core.h for kNearestEven, in fewer operations: a power of two added that
// is 2^shift units away leaves no room for the rest, and float32 addition rounds to even.
// Subnormals and normals differ in the unit alone. REQUIRES: CanAdd().
HWY_INLINE Ints RoundByAdding(Ints magnitude, const Constants& c) {
  const Ints exponent = hn::Max(magnitude & Constants::Int(kInfinityBits), c.subnormal_limit);
  const Floats power = AsFloats(exponent + c.exponent_shift);
  return AsInts((AsFloats(magnitude) + power) - power);
}

// Whether that power of two is finite for all magnitudes: so with fewer than 8 exponent bits.
HWY_INLINE bool CanAdd(const RoundParams& p) {
  return p.subnormal_limit > 0 && (p.max_bits >> 23) + p.shift < 255;
}

// RoundMagnitude() of round_core.h.
template <Rounding kMode, bool kByAdding>
HWY_INLINE Ints RoundMagnitudes(Ints magnitude, Ints random, const Constants& c) {
  if constexpr (kByAdding) return RoundByAdding(magnitude, c);
  const Floats x = AsFloats(magnitude);
  const auto subnormal = magnitude < c.subnormal_limit;
  if constexpr (kMode == Rounding::kReference) {
    const Floats base = hn::IfThenElseZero(hn::RebindMask(FloatTag(), subnormal), c.min_normal);
    const Ints sum = AsInts(x + base) + c.half;
    return AsInts(AsFloats(sum & c.keep) - base);
  } else {
    Floats y = (x + c.magic) - c.magic;
    if constexpr (kMode == Rounding::kNearestEven) {
      const Ints one = Constants::Int(1);
      const Ints odd = hn::ShiftRightSame(magnitude, c.shift) & one;
      const Ints normal = (magnitude + (c.half - one) + odd) & c.keep;
      return hn::IfThenElse(subnormal, AsInts(y), normal);
    } else if constexpr (kMode == Rounding::kNearestAway) {
      y = y + hn::IfThenElseZero(x - y == c.half_unit, c.unit);
      return hn::IfThenElse(subnormal, AsInts(y), (magnitude + c.half) & c.keep);
    } else {
      y = y - hn::IfThenElseZero(y > x, c.unit);
      y = y + hn::IfThenElseZero(Uniform(random) < (x - y) * c.unit_inverse, c.unit);
      const auto words = hn::BitCast(WordTag(), random);
      const Ints dropped = hn::BitCast(IntTag(), hn::ShiftRightSame(words, 32 - c.shift));
      return hn::IfThenElse(subnormal, AsInts(y), (magnitude + dropped) & c.keep);
    }
  }
}

template <typename Mask>
HWY_INLINE void Count(Mask mask, Ints& count) {
  count = count + hn::VecFromMask(IntTag(), mask);
}

// Whether no vector holds anything to count, which spares the rest most of the time: magnitudes are
// zero or from the smallest subnormal up to the overflow threshold.
template <size_t kVectors>
HWY_INLINE bool IsPlain(const Ints (&bits)[kVectors], const Constants& c) {
  const Ints sign = Constants::Int(kSignBit), one = Constants::Int(1);
  Ints most = hn::AndNot(sign, bits[0]);
  auto least = hn::BitCast(WordTag(), most - one);  // zero wraps around
  for (size_t j = 1; j < kVectors; ++j) {
    const Ints magnitude = hn::AndNot(sign, bits[j]);
    most = hn::Max(most, magnitude);
    least = hn::Min(least, hn::BitCast(WordTag(), magnitude - one));
  }
  const auto small = hn::RebindMask(IntTag(), least < c.below_unit);
  return hn::AllFalse(IntTag(), hn::Or(most > c.below_overflow, small));
}

// What RoundLanes() and PackLanes() do with a magnitude. kPlain as above: all but stochastic
// rounding then keep to the format's values by themselves.
template <Rounding kMode, bool kPlain>
HWY_INLINE Ints Clipped(Ints magnitude, const Constants& c) {
  if constexpr (kPlain && kMode != Rounding::kStochastic) return magnitude;
  return hn::Min(magnitude, c.max);
}

// Counts, and replaces what came of magnitudes from the overflow threshold on.
HWY_INLINE Ints Counted(Ints magnitude, Ints result, Ints overflow_to, Ints nan_to,
                        const Constants& c, LaneCounts& counts) {
  const Ints zero = hn::Zero(IntTag());
  const auto overflow = magnitude > c.below_overflow;
  const auto nan = magnitude > Constants::Int(kInfinityBits);
  Count(result == zero, counts.zero_out);
  Count(magnitude == zero, counts.zero_in);
  Count(overflow, counts.overflow_or_nan);
  Count(nan, counts.nan);
  Count(magnitude > Constants::Int(kInfinityBits - 1), counts.nonfinite);
  return hn::IfThenElse(nan, nan_to, hn::IfThenElse(overflow, overflow_to, result));
}

// RoundBits() of round_core.h.
template <Rounding kMode, bool kByAdding, bool kPlain>
HWY_INLINE Ints RoundLanes(Ints bits, Ints random, const Constants& c, LaneCounts& counts) {
  const Ints magnitude = hn::AndNot(Constants::Int(kSignBit), bits);
  Ints result = RoundMagnitudes<kMode, kByAdding>(Clipped<kMode, kPlain>(magnitude, c), random, c);
  if constexpr (!kPlain) {
    const Ints quiet = magnitude | Constants::Int(kQuietBit);
    result = Counted(magnitude, result, c.overflow_to, quiet, c, counts);
  }
  return result | (bits ^ magnitude);
}

HWY_MAYBE_UNUSED static void AddCounts(const LaneCounts& lanes, RoundCounts* counts) {
  const IntTag d;
  const auto sum = [&d](Ints v) { return -int64_t{hn::GetLane(hn::SumOfLanes(d, v))}; };
  counts->overflow += sum(lanes.overflow_or_nan) - sum(lanes.nan);
  counts->underflow += sum(lanes.zero_out) - sum(lanes.zero_in);
  counts->nonfinite += sum(lanes.nonfinite);
}

// Writes RandomBlock(seed, block) to RandomBlock(seed, block + count - 1) to `words`, and up to a
// vector of blocks more. A 64-bit lane is a block; the upper halves hold what nobody reads.
HWY_MAYBE_UNUSED static void FillRandom(uint64_t seed, uint64_t block, size_t count,
                                        uint32_t* words) {
  const PairTag d;
  const WordTag dw;
  const auto wide = [&d](uint32_t v) { return hn::Set(d, v); };
  const auto low = wide(~0u);
  const auto multiply = [&dw](auto a, auto b) {
    return hn::MulEven(hn::BitCast(dw, a), hn::BitCast(dw, b));
  };
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    auto c0 = hn::Iota(d, block + i);
    auto c1 = hn::ShiftRight<32>(c0);
    auto c2 = hn::Zero(d), c3 = hn::Zero(d);
    uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < kPhiloxRounds; ++round) {
      const auto p0 = multiply(c0, wide(kPhiloxMultiplier0));
      const auto p1 = multiply(c2, wide(kPhiloxMultiplier1));
      c0 = hn::ShiftRight<32>(p1) ^ c1 ^ wide(k0);
      c1 = p1;
      c2 = hn::ShiftRight<32>(p0) ^ c3 ^ wide(k1);
      c3 = p0;
      k0 += kPhiloxWeyl0;
      k1 += kPhiloxWeyl1;
    }
    uint64_t* pairs = reinterpret_cast<uint64_t*>(words + 4 * i);
    hn::StoreInterleaved2((c0 & low) | hn::ShiftLeft<32>(c1), (c2 & low) | hn::ShiftLeft<32>(c3), d,
                          pairs);
  }
}

// The constants of CodeParams.
struct CodeConstants {
  CodeConstants(const RoundParams& round, const CodeParams& p)
      : subnormal_limit(Constants::Int(p.subnormal_limit)),
        normal_offset(Constants::Int(p.subnormal_limit - (1u << 23))),
        exponent_shift(Constants::Int(p.shift << 23)),
        below_normal(Constants::Int((1u << (23 - p.shift)) - 1)),
        magnitude(Constants::Int(p.sign - 1)),
        below_infinity(Constants::Int(p.infinity - 1)),
        nan(Constants::Int(p.nan)),
        lone_nan(Constants::Int(p.reserved ? ~0u : p.nan)),
        sign_of_zero(Constants::Int(p.reserved ? p.sign : 0)),
        overflow_to(Constants::Int(OverflowCode(round, p))),
        min_normal(hn::Set(FloatTag(), p.min_normal)),
        shift(static_cast<int>(p.shift)),
        sign_shift(__builtin_clz(p.sign)) {}

  Ints subnormal_limit, normal_offset, exponent_shift, below_normal, magnitude, below_infinity, nan;
  Ints lone_nan;  // the one NaN of a format without infinity
  Ints sign_of_zero, overflow_to;
  Floats min_normal;
  int shift, sign_shift;
};

HWY_INLINE Ints ShiftRightLogical(Ints v, int bits) {
  return hn::BitCast(IntTag(), hn::ShiftRightSame(hn::BitCast(WordTag(), v), bits));
}

// CodeOfMagnitude() of pack_core.h; a magnitude that is no value of the format is rounded to the
// nearest, ties to even, on the way.
HWY_INLINE Ints CodesOfMagnitudes(Ints magnitude, const CodeConstants& k) {
  const Ints exponent = hn::Max(magnitude & Constants::Int(kInfinityBits), k.subnormal_limit);
  const Ints power = exponent + k.exponent_shift;
  const Ints units = AsInts(AsFloats(magnitude) + AsFloats(power)) - power;
  return units + ShiftRightLogical(exponent - k.subnormal_limit, k.shift);
}

// PackBits() of pack_core.h for formats with fewer than 8 exponent bits.
template <Rounding kMode, bool kPlain>
HWY_INLINE Ints PackLanes(Ints bits, Ints random, const Constants& c, const CodeConstants& k,
                          LaneCounts& counts) {
  const Ints magnitude = hn::AndNot(Constants::Int(kSignBit), bits);
  Ints rounded = Clipped<kMode, kPlain>(magnitude, c);
  if constexpr (kMode != Rounding::kNearestEven) {
    rounded = RoundMagnitudes<kMode, false>(rounded, random, c);
  }
  Ints code = CodesOfMagnitudes(rounded, k);
  Ints sign = ShiftRightLogical(bits ^ magnitude, k.sign_shift);
  sign = hn::IfThenElse(code == hn::Zero(IntTag()), sign & k.sign_of_zero, sign);
  if constexpr (!kPlain) code = Counted(magnitude, code, k.overflow_to, k.nan, c, counts);
  return code | sign;
}

// UnpackBits() of pack_core.h for formats with fewer than 8 exponent bits.
HWY_INLINE Ints UnpackLanes(Ints code, const CodeConstants& k) {
  const Ints magnitude = code & k.magnitude;
  const Ints sign = hn::ShiftLeftSame(code ^ magnitude, k.sign_shift);
  const Ints shifted = hn::ShiftLeftSame(magnitude, k.shift);
  const auto normal = magnitude > k.below_normal;
  const Ints sum = shifted + hn::IfThenElse(normal, k.normal_offset, k.subnormal_limit);
  const auto hidden = hn::IfThenZeroElse(hn::RebindMask(FloatTag(), normal), k.min_normal);
  Ints bits = AsInts(AsFloats(sum) - hidden);
  const Ints infinity = Constants::Int(kInfinityBits);
  bits = hn::IfThenElse(magnitude > k.below_infinity, shifted | infinity, bits);
  return hn::IfThenElse(code == k.lone_nan, Constants::Int(kInfinityBits | kQuietBit), bits | sign);
}

}  // namespace HWY_NAMESPACE
}  // namespace mantissa::kernels
HWY_AFTER_NAMESPACE();

#endif  // MANTISSA_KERNELS_PACKED_LANES_INL_H_
