// The random words of round_core.h on vectors, for the CPU bodies. Highway compiles it once for
// each instruction set.
#if defined(MANTISSA_KERNELS_PACKED_RANDOM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MANTISSA_KERNELS_PACKED_RANDOM_INL_H_
#undef MANTISSA_KERNELS_PACKED_RANDOM_INL_H_
#else
#define MANTISSA_KERNELS_PACKED_RANDOM_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "base/philox.h"
#include "hwy/highway.h"
#include "kernels/packed/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mantissa::kernels {
namespace HWY_NAMESPACE {

using PairTag = hn::ScalableTag<uint64_t>;

// Vectors of blocks made at a time: a round waits for the one before, so one alone waits mostly.
constexpr size_t kChains = 2;

// Of each round.
struct PhiloxKeys {
  explicit PhiloxKeys(uint64_t seed) {
    uint32_t low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < kPhiloxRounds; ++round) {
      k0[round] = hn::Set(PairTag(), low);
      k1[round] = hn::Set(PairTag(), high);
      low += kPhiloxWeyl0;
      high += kPhiloxWeyl1;
    }
  }
  hn::Vec<PairTag> k0[kPhiloxRounds], k1[kPhiloxRounds];
};

// Writes RandomBlock(seed, block) to RandomBlock(seed, block + count - 1) to `words`, and up to
// kChains vectors of blocks more. A 64-bit lane is a block; the upper halves hold what nobody
// reads.
HWY_MAYBE_UNUSED static void FillRandom(const PhiloxKeys& keys, uint64_t block, size_t count,
                                        uint32_t* words) {
  const PairTag d;
  const WordTag dw;
  const auto low = hn::Set(d, ~0u);
  const auto multiplier0 = hn::Set(dw, kPhiloxMultiplier0);
  const auto multiplier1 = hn::Set(dw, kPhiloxMultiplier1);
  for (size_t i = 0; i < count; i += kChains * hn::Lanes(d)) {
    hn::Vec<PairTag> c0[kChains], c1[kChains], c2[kChains], c3[kChains];
    for (size_t j = 0; j < kChains; ++j) {
      c0[j] = hn::Iota(d, block + i + j * hn::Lanes(d));
      c1[j] = hn::ShiftRight<32>(c0[j]);
      c2[j] = c3[j] = hn::Zero(d);
    }
    for (int round = 0; round < kPhiloxRounds; ++round) {
      for (size_t j = 0; j < kChains; ++j) {
        const auto p0 = hn::MulEven(hn::BitCast(dw, c0[j]), multiplier0);
        const auto p1 = hn::MulEven(hn::BitCast(dw, c2[j]), multiplier1);
        c0[j] = hn::Xor(hn::ShiftRight<32>(p1), hn::Xor(c1[j], keys.k0[round]));
        c1[j] = p1;
        c2[j] = hn::Xor(hn::ShiftRight<32>(p0), hn::Xor(c3[j], keys.k1[round]));
        c3[j] = p0;
      }
    }
    for (size_t j = 0; j < kChains; ++j) {
      uint64_t* pairs = reinterpret_cast<uint64_t*>(words + 4 * (i + j * hn::Lanes(d)));
      hn::StoreInterleaved2((c0[j] & low) | hn::ShiftLeft<32>(c1[j]),
                            (c2[j] & low) | hn::ShiftLeft<32>(c3[j]), d, pairs);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mantissa::kernels
HWY_AFTER_NAMESPACE();

#endif  // MANTISSA_KERNELS_PACKED_RANDOM_INL_H_
