// The arithmetic of round_core.h on vectors, for the CPU bodies. Highway compiles it once for each
// instruction set.
#if defined(MANTISSA_KERNELS_PACKED_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MANTISSA_KERNELS_PACKED_LANES_INL_H_
#undef MANTISSA_KERNELS_PACKED_LANES_INL_H_
#else
#define MANTISSA_KERNELS_PACKED_LANES_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/packed/round_core.h"

HWY_BEFORE_NAMESPACE();
namespace mantissa::kernels {
namespace HWY_NAMESPACE {

namespace hn = ::hwy::HWY_NAMESPACE;

using IntTag = hn::ScalableTag<int32_t>;
using FloatTag = hn::ScalableTag<float>;
using WordTag = hn::ScalableTag<uint32_t>;
using Ints = hn::Vec<IntTag>;
using Floats = hn::Vec<FloatTag>;

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

// Modes whose rounding is one addition: of a power of two that is 2^shift units away, whose sum
// with a magnitude has no room for the rest of it. Float32 addition rounds to even; a tie is
// rounded away from zero if its lowest bit, otherwise zero, is set first.
constexpr bool ByAdding(Rounding mode) {
  return mode == Rounding::kNearestEven || mode == Rounding::kNearestAway;
}

// What is added to, and which subnormals and normals have for an exponent: they differ in the unit
// alone.
template <Rounding kMode>
HWY_INLINE Floats Summand(Ints magnitude) {
  if constexpr (kMode == Rounding::kNearestAway) return AsFloats(magnitude | Constants::Int(1));
  return AsFloats(magnitude);
}
HWY_INLINE Ints ExponentOfUnit(Ints magnitude, const Constants& c) {
  return hn::Max(magnitude & Constants::Int(kInfinityBits), c.subnormal_limit);
}

// RoundMagnitude() of round_core.h in fewer operations. REQUIRES: ByAdding() and CanAdd().
template <Rounding kMode>
HWY_INLINE Ints RoundByAdding(Ints magnitude, const Constants& c) {
  const Floats power = AsFloats(ExponentOfUnit(magnitude, c) + c.exponent_shift);
  return AsInts((Summand<kMode>(magnitude) + power) - power);
}

// Whether that power of two is finite for all magnitudes, so with fewer than 8 exponent bits, and
// the lowest bit of a tie is zero.
HWY_INLINE bool CanAdd(const RoundParams& p) {
  return p.subnormal_limit > 0 && (p.max_bits >> 23) + p.shift < 255 && p.shift > 1;
}

// RoundMagnitude() of round_core.h.
template <Rounding kMode, bool kByAdding>
HWY_INLINE Ints RoundMagnitudes(Ints magnitude, Ints random, const Constants& c) {
  if constexpr (kByAdding) return RoundByAdding<kMode>(magnitude, c);
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

// What is rounded. kPlain as above: all but stochastic rounding then keep to the format's values by
// themselves.
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

}  // namespace HWY_NAMESPACE
}  // namespace mantissa::kernels
HWY_AFTER_NAMESPACE();

#endif  // MANTISSA_KERNELS_PACKED_LANES_INL_H_
