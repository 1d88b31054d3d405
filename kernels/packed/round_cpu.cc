#include "kernels/packed/round_cpu.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

// Highway compiles the part between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each
// instruction set by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/packed/round_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

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

// Elements worked on before the lanes' 32-bit counts are summed up, and random words made at a
// time.
constexpr int64_t kChunk = 1 << 20;
constexpr int64_t kRandomChunk = 1024;

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
        half(Int(p.half)),
        keep(Int(p.keep)),
        min_normal(hn::Set(FloatTag(), p.min_normal)),
        magic(hn::Set(FloatTag(), p.magic)),
        unit(hn::Set(FloatTag(), p.unit)),
        half_unit(hn::Set(FloatTag(), p.half_unit)),
        unit_inverse(hn::Set(FloatTag(), p.unit_inverse)),
        shift(static_cast<int>(p.shift)) {}

  static Ints Int(uint32_t bits) { return hn::Set(IntTag(), static_cast<int32_t>(bits)); }

  Ints max, below_overflow, overflow_to, subnormal_limit, exponent_shift, half, keep;
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

// Whether that power of two is finite for all magnitudes: not so for bf16.
bool CanAdd(const RoundParams& p) {
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

// RoundBits() of round_core.h. kFinite: no infinity and no NaN is among them.
template <Rounding kMode, bool kByAdding, bool kFinite>
HWY_INLINE Ints RoundLanes(Ints bits, Ints random, const Constants& c, LaneCounts& counts) {
  const IntTag d;
  const Ints magnitude = hn::AndNot(Constants::Int(kSignBit), bits);
  const auto overflow = magnitude > c.below_overflow;
  Ints result = RoundMagnitudes<kMode, kByAdding>(hn::Min(magnitude, c.max), random, c);
  Count(overflow, counts.overflow_or_nan);
  Count(result == hn::Zero(d), counts.zero_out);
  Count(magnitude == hn::Zero(d), counts.zero_in);
  result = hn::IfThenElse(overflow, c.overflow_to, result);
  if constexpr (!kFinite) {
    const auto nan = magnitude > Constants::Int(kInfinityBits);
    Count(nan, counts.nan);
    Count(magnitude > Constants::Int(kInfinityBits - 1), counts.nonfinite);
    result = hn::IfThenElse(nan, magnitude | Constants::Int(kQuietBit), result);
  }
  return result | (bits ^ magnitude);
}

void AddCounts(const LaneCounts& lanes, RoundCounts* counts) {
  const IntTag d;
  const auto sum = [&d](Ints v) { return -int64_t{hn::GetLane(hn::SumOfLanes(d, v))}; };
  counts->overflow += sum(lanes.overflow_or_nan) - sum(lanes.nan);
  counts->underflow += sum(lanes.zero_out) - sum(lanes.zero_in);
  counts->nonfinite += sum(lanes.nonfinite);
}

template <Rounding kMode>
HWY_INLINE Ints LoadRandom(const uint32_t* random) {
  if constexpr (kMode == Rounding::kStochastic) {
    return hn::BitCast(IntTag(), hn::LoadU(WordTag(), random));
  } else {
    return hn::Zero(IntTag());
  }
}

// Four vectors at `in`. Infinities and NaNs are rare, so one look at all four spares the rest.
template <Rounding kMode, bool kByAdding>
HWY_INLINE void RoundFour(const Constants& c, const uint32_t* random, const float* in, float* out,
                          LaneCounts& found) {
  const FloatTag df;
  const size_t lanes = hn::Lanes(df);
  const Ints a = AsInts(hn::LoadU(df, in)), b = AsInts(hn::LoadU(df, in + lanes));
  const Ints e = AsInts(hn::LoadU(df, in + 2 * lanes)), f = AsInts(hn::LoadU(df, in + 3 * lanes));
  const Ints infinity = Constants::Int(kInfinityBits);
  const auto exponent = [&](Ints v) { return v & infinity; };
  const Ints most = hn::Max(hn::Max(exponent(a), exponent(b)), hn::Max(exponent(e), exponent(f)));
  const auto store = [&](Ints v, size_t i) { hn::StoreU(AsFloats(v), df, out + i * lanes); };
  const auto words = [&](size_t i) { return LoadRandom<kMode>(random + i * lanes); };
  if (HWY_LIKELY(hn::AllFalse(IntTag(), most == infinity))) {
    store(RoundLanes<kMode, kByAdding, true>(a, words(0), c, found), 0);
    store(RoundLanes<kMode, kByAdding, true>(b, words(1), c, found), 1);
    store(RoundLanes<kMode, kByAdding, true>(e, words(2), c, found), 2);
    store(RoundLanes<kMode, kByAdding, true>(f, words(3), c, found), 3);
  } else {
    store(RoundLanes<kMode, kByAdding, false>(a, words(0), c, found), 0);
    store(RoundLanes<kMode, kByAdding, false>(b, words(1), c, found), 1);
    store(RoundLanes<kMode, kByAdding, false>(e, words(2), c, found), 2);
    store(RoundLanes<kMode, kByAdding, false>(f, words(3), c, found), 3);
  }
}

// At most kChunk elements. `random` has n words, and room to read a vector more.
template <Rounding kMode, bool kByAdding>
void RoundChunk(const RoundParams& params, const uint32_t* random, const float* in, float* out,
                size_t n, RoundCounts* counts) {
  const FloatTag df;
  const size_t lanes = hn::Lanes(df);
  const Constants c(params);
  LaneCounts found;
  size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    RoundFour<kMode, kByAdding>(c, random + i, in + i, out + i, found);
  }
  for (; i < n; i += lanes) {
    // The last few stand among zeros, which count as nothing.
    const size_t bytes = std::min(lanes, n - i) * sizeof(float);
    HWY_ALIGN float rest[hn::MaxLanes(FloatTag())] = {};
    std::memcpy(rest, in + i, bytes);
    const Ints bits = AsInts(hn::Load(df, rest));
    const Ints words = LoadRandom<kMode>(random + i);
    hn::Store(AsFloats(RoundLanes<kMode, kByAdding, false>(bits, words, c, found)), df, rest);
    std::memcpy(out + i, rest, bytes);
  }
  AddCounts(found, counts);
}

// Writes RandomBlock(seed, block) to RandomBlock(seed, block + count - 1) to `words`, and up to a
// vector of blocks more. A 64-bit lane is a block; the upper halves hold what nobody reads.
void FillRandom(uint64_t seed, uint64_t block, size_t count, uint32_t* words) {
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

void RoundStochastic(const RoundParams& params, const float* in, float* out, int64_t n,
                     RoundCounts* counts) {
  // Four words before the first, a vector after the last.
  HWY_ALIGN uint32_t
      words[kRandomChunk + 4 + 4 * hn::MaxLanes(PairTag()) + hn::MaxLanes(WordTag())];
  for (int64_t i = 0; i < n; i += kRandomChunk) {
    const size_t length = static_cast<size_t>(std::min(kRandomChunk, n - i));
    const uint64_t first = params.offset + static_cast<uint64_t>(i);
    const size_t skip = first % 4;
    FillRandom(params.seed, first / 4, (skip + length + 3) / 4, words);
    RoundChunk<Rounding::kStochastic, false>(params, words + skip, in + i, out + i, length, counts);
  }
}

template <Rounding kMode, bool kByAdding = false>
void RoundNearest(const RoundParams& params, const float* in, float* out, int64_t n,
                  RoundCounts* counts) {
  for (int64_t i = 0; i < n; i += kChunk) {
    RoundChunk<kMode, kByAdding>(params, nullptr, in + i, out + i,
                                 static_cast<size_t>(std::min(kChunk, n - i)), counts);
  }
}

void RoundRange(Rounding rounding, const RoundParams& params, const float* in, float* out,
                int64_t n, RoundCounts* counts) {
  switch (rounding) {
    case Rounding::kNearestEven:
      if (CanAdd(params)) {
        return RoundNearest<Rounding::kNearestEven, true>(params, in, out, n, counts);
      }
      return RoundNearest<Rounding::kNearestEven>(params, in, out, n, counts);
    case Rounding::kNearestAway:
      return RoundNearest<Rounding::kNearestAway>(params, in, out, n, counts);
    case Rounding::kReference:
      return RoundNearest<Rounding::kReference>(params, in, out, n, counts);
    case Rounding::kStochastic:
      return RoundStochastic(params, in, out, n, counts);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mantissa::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mantissa::kernels {

HWY_EXPORT(RoundRange);

void RoundOnCpu(Rounding rounding, const RoundParams& params, const float* in, float* out,
                int64_t n, RoundCounts* counts) {
  HWY_DYNAMIC_DISPATCH(RoundRange)(rounding, params, in, out, n, counts);
}

}  // namespace mantissa::kernels
#endif  // HWY_ONCE
