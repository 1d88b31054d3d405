// The arithmetic of pack_core.h on vectors, for the CPU bodies. Highway compiles it once for each
// instruction set.
#if defined(MANTISSA_KERNELS_PACKED_CODES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MANTISSA_KERNELS_PACKED_CODES_INL_H_
#undef MANTISSA_KERNELS_PACKED_CODES_INL_H_
#else
#define MANTISSA_KERNELS_PACKED_CODES_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "kernels/packed/lanes-inl.h"
#include "kernels/packed/pack_core.h"
#include "kernels/packed/round_core.h"

HWY_BEFORE_NAMESPACE();
namespace mantissa::kernels {
namespace HWY_NAMESPACE {

// The constants of CodeParams.
struct CodeConstants {
  CodeConstants(const RoundParams& round, const CodeParams& p)
      : normal_offset(Constants::Int(p.subnormal_limit - (1u << 23))),
        magnitude(Constants::Int(p.sign - 1)),
        below_infinity(Constants::Int(p.infinity - 1)),
        nan(Constants::Int(p.nan)),
        lone_nan(Constants::Int(p.reserved ? ~0u : p.nan)),
        sign_of_zero(Constants::Int(p.reserved ? p.sign : 0)),
        overflow_to(Constants::Int(OverflowCode(round, p))),
        base(Constants::Int(p.subnormal_limit >> p.shift)),
        base_less_magic(Constants::Int((p.subnormal_limit >> p.shift) - BitsOf(round.magic))),
        min_normal(hn::Set(FloatTag(), p.min_normal)),
        power(hn::Set(FloatTag(), FloatOf(kOneBits + (p.shift << 23)))),
        shift(static_cast<int>(p.shift)),
        sign_shift(__builtin_clz(p.sign)),
        code(p) {}

  Ints normal_offset, magnitude, below_infinity, nan;
  Ints lone_nan;  // the one NaN of a format without infinity
  Ints sign_of_zero, overflow_to;
  Ints base;  // what the low bits of the smallest normal value's rounded sum have too much
  Ints base_less_magic;
  Floats min_normal, power;
  int shift, sign_shift;
  CodeParams code;
};

HWY_INLINE Ints ShiftRightLogical(Ints v, int bits) {
  return hn::BitCast(IntTag(), hn::ShiftRightSame(hn::BitCast(WordTag(), v), bits));
}

// LowCodes() below for kStochastic.
HWY_INLINE Ints StochasticCodes(Ints magnitude, Ints random, const Constants& c,
                                const CodeConstants& k) {
  const Floats x = AsFloats(magnitude), sum = x + c.magic, nearest = sum - c.magic;
  const auto above = nearest > x;
  const Floats lower = nearest - hn::IfThenElseZero(above, c.unit);
  const auto up = Uniform(random) < (x - lower) * c.unit_inverse;
  const Ints units = AsInts(sum) + k.base_less_magic +
                     hn::VecFromMask(IntTag(), hn::RebindMask(IntTag(), above)) -
                     hn::VecFromMask(IntTag(), hn::RebindMask(IntTag(), up));
  const Ints dropped = ShiftRightLogical(random, 32 - k.shift);
  const Ints normal = ShiftRightLogical(magnitude + Constants::Int(1u << 23) + dropped, k.shift);
  return hn::IfThenElse(magnitude < c.subnormal_limit, units, normal);
}

// CodeOfMagnitude() of pack_core.h for what RoundMagnitude() of round_core.h gives, plus k.base, in
// the low bits as wide as a code is; those above mean nothing. REQUIRES: fewer than 8 exponent bits
// and at most 14 of a mantissa.
template <Rounding kMode>
HWY_INLINE Ints LowCodes(Ints magnitude, Ints random, const Constants& c, const CodeConstants& k) {
  if constexpr (ByAdding(kMode)) {
    const Ints exponent = ExponentOfUnit(magnitude, c);
    // Its low bits are the units.
    const Floats sum = hn::MulAdd(AsFloats(exponent), k.power, Summand<kMode>(magnitude));
    return AsInts(sum) + ShiftRightLogical(exponent, k.shift);
  } else if constexpr (kMode == Rounding::kReference) {
    const auto subnormal = magnitude < c.subnormal_limit;
    const Ints sum = AsInts(AsFloats(magnitude) + c.min_normal);
    const Ints places = hn::IfThenElse(subnormal, sum, magnitude + Constants::Int(1u << 23));
    return ShiftRightLogical(places + c.half, k.shift);
  } else {
    return StochasticCodes(magnitude, random, c, k);
  }
}

// PackBits() of pack_core.h for formats with fewer than 8 exponent bits.
template <Rounding kMode>
HWY_INLINE Ints PackLanes(Ints bits, Ints random, const Constants& c, const CodeConstants& k,
                          LaneCounts& counts) {
  const Ints magnitude = hn::AndNot(Constants::Int(kSignBit), bits);
  Ints code = LowCodes<kMode>(hn::Min(magnitude, c.max), random, c, k);
  code = (code - k.base) & k.magnitude;
  Ints sign = ShiftRightLogical(bits ^ magnitude, k.sign_shift);
  sign = hn::IfThenElse(code == hn::Zero(IntTag()), sign & k.sign_of_zero, sign);
  return Counted(magnitude, code, k.overflow_to, k.nan, c, counts) | sign;
}

// UnpackBits() of pack_core.h for formats with fewer than 8 exponent bits. kPlain: no code is of
// infinity or NaN.
template <bool kPlain>
HWY_INLINE Ints UnpackLanes(Ints code, const CodeConstants& k) {
  const Ints magnitude = code & k.magnitude;
  const Ints shifted = hn::ShiftLeftSame(magnitude, k.shift);
  // Of a normal value, its bits. A subnormal has the hidden bit taken away that it does not have:
  // which is the lesser of the two then, and the greater for a normal value.
  const Floats normal = AsFloats(shifted + k.normal_offset);
  const Floats two = hn::Set(FloatTag(), 2.0f);
  Ints bits = AsInts(hn::Min(normal, hn::MulSub(normal, two, k.min_normal)));
  const Ints sign = hn::ShiftLeftSame(code, k.sign_shift);
  if constexpr (!kPlain) {
    const Ints infinity = Constants::Int(kInfinityBits);
    bits = hn::IfThenElse(magnitude > k.below_infinity, shifted | infinity, bits);
  }
  bits = hn::OrAnd(bits, sign, Constants::Int(kSignBit));
  if constexpr (kPlain) return bits;
  return hn::IfThenElse(code == k.lone_nan, Constants::Int(kInfinityBits | kQuietBit), bits);
}

}  // namespace HWY_NAMESPACE
}  // namespace mantissa::kernels
HWY_AFTER_NAMESPACE();

#endif  // MANTISSA_KERNELS_PACKED_CODES_INL_H_
