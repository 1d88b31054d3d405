#include "kernels/packed/pack_cpu.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

// Highway compiles the part between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each
// instruction set by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/packed/pack_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/packed/codes-inl.h"
#include "kernels/packed/groups-inl.h"
#include "kernels/packed/lanes-inl.h"
#include "kernels/packed/random-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mantissa::kernels {
namespace HWY_NAMESPACE {

// Elements worked on at a time: before the lanes' 32-bit counts are summed up; and where random
// words are made first, or the codes of short rows put side by side.
constexpr int64_t kChunk = 1 << 20;
constexpr int64_t kSmallChunk = 1024;
constexpr size_t kGroupLanes = kGroup * hn::MaxLanes(IntTag());

template <Rounding kMode>
HWY_INLINE Ints RandomLanes(const uint32_t* random, size_t vector) {
  if constexpr (kMode != Rounding::kStochastic) return hn::Zero(IntTag());
  const WordTag d;
  return hn::BitCast(IntTag(), hn::LoadU(d, random + vector * hn::Lanes(d)));
}

// Float32 bits to stored codes of a format with fewer than 8 exponent bits.
template <Rounding kMode>
HWY_INLINE void EncodeCodes(const Constants& c, const CodeConstants& k, const uint32_t* random,
                            Group& group, LaneCounts& found, uint8_t* to) {
#if HWY_TARGET != HWY_SCALAR
  if (HWY_LIKELY(IsPlain(group.v, c))) {
    Group low;
    for (size_t j = 0; j < kGroup; ++j) {
      const Ints magnitude = hn::AndNot(Constants::Int(kSignBit), group.v[j]);
      low.v[j] =
          LowCodes<kMode>(Clipped<kMode, true>(magnitude, c), RandomLanes<kMode>(random, j), c, k);
    }
    if (k.code.bytes == 1) return StorePlain(low, group, k, to);
    return StorePlain(low, group, k, reinterpret_cast<uint16_t*>(to));
  }
#endif
  for (size_t j = 0; j < kGroup; ++j) {
    group.v[j] = PackLanes<kMode>(group.v[j], RandomLanes<kMode>(random, j), c, k, found);
  }
  StoreGroup(group, k.code.bytes, to);
}

// Float32 bits to stored codes that are the upper part of the rounded bits.
template <Rounding kMode, bool kByAdding>
HWY_INLINE void EncodeUpper(const Constants& c, const CodeConstants& k, const uint32_t* random,
                            Group& group, LaneCounts& found, uint8_t* to) {
  const bool plain = IsPlain(group.v, c);
  for (size_t j = 0; j < kGroup; ++j) {
    const Ints words = RandomLanes<kMode>(random, j);
    group.v[j] = HWY_LIKELY(plain)
                     ? RoundLanes<kMode, kByAdding, true>(group.v[j], words, c, found)
                     : RoundLanes<kMode, kByAdding, false>(group.v[j], words, c, found);
  }
  StoreUpper(group, k, to);
}

// Runs step(i, from, to) for each group of n elements; the last few stand among zeros, which count
// as nothing.
template <typename Step>
HWY_INLINE void ForGroups(const uint8_t* from, size_t from_bytes, uint8_t* to, size_t to_bytes,
                          size_t n, const Step& step) {
  const size_t lanes = kGroup * hn::Lanes(IntTag());
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) step(i, from + i * from_bytes, to + i * to_bytes);
  if (i == n) return;
  HWY_ALIGN uint8_t in[4 * kGroupLanes] = {};
  HWY_ALIGN uint8_t out[4 * kGroupLanes] = {};
  std::memcpy(in, from + i * from_bytes, (n - i) * from_bytes);
  std::memcpy(out, to + i * to_bytes, (n - i) * to_bytes);
  step(i, in, out);
  std::memcpy(to + i * to_bytes, out, (n - i) * to_bytes);
}

// At most kChunk elements. `random` has n words, and room to read a group more. kCode: of a format
// with fewer than 8 exponent bits.
template <Rounding kMode, bool kByAdding, bool kCode>
void PackChunk(const PackParams& params, const uint32_t* random, const uint8_t* wide,
               uint8_t* codes, size_t n, RoundCounts* counts) {
  const Constants c(params.round);
  const CodeConstants k(params.round, params.code), element(params.round, params.element);
  LaneCounts found;
  const auto step = [&](size_t i, const uint8_t* from, uint8_t* to) HWY_ATTR {
    Group group;
    Decode(from, element, group);
    if constexpr (kCode) {
      EncodeCodes<kMode>(c, k, random + i, group, found, to);
    } else {
      EncodeUpper<kMode, kByAdding>(c, k, random + i, group, found, to);
    }
  };
  ForGroups(wide, static_cast<size_t>(params.element.bytes), codes,
            static_cast<size_t>(params.code.bytes), n, step);
  AddCounts(found, counts);
}

// Runs work(i, count, place, rows) over [begin, end) in pieces of at most `chunk` elements, where
// `place` is that of the first in the packed tensor and `rows` says whether more than one row is
// touched: then the piece is at most kSmallChunk elements long.
template <typename Work>
void ForPieces(const Piece& piece, int64_t begin, int64_t end, int64_t chunk, const Work& work) {
  for (int64_t i = begin; i < end;) {
    const int64_t at = i % piece.length, rest = piece.length - at;
    int64_t count = std::min(chunk, end - i);
    if (count > rest) count = rest >= kSmallChunk ? rest : std::min(count, kSmallChunk);
    work(i, count, piece.first + i / piece.length * piece.stride + at, count > rest);
    i += count;
  }
}

// Runs work(i, count, place) over the parts of rows that [begin, begin + n) consists of.
template <typename Work>
void ForRows(const Piece& piece, int64_t begin, int64_t n, const Work& work) {
  for (int64_t i = begin, end = begin + n; i < end;) {
    const int64_t at = i % piece.length, count = std::min(piece.length - at, end - i);
    work(i - begin, count, piece.first + i / piece.length * piece.stride + at);
    i += count;
  }
}

// The random words of [begin, begin + n), and those before the first that come in the same block
// and after the last.
struct RandomWords {
  static constexpr size_t kMargin = 4 + 4 * kChains * hn::MaxLanes(PairTag()) + kGroupLanes;

  explicit RandomWords(uint64_t seed) : keys(seed) {}

  void Fill(const RoundParams& params, const Piece& piece, int64_t begin, int64_t n) {
    ForRows(piece, begin, n, [&](int64_t i, int64_t count, int64_t place) HWY_ATTR {
      const uint64_t first = params.offset + static_cast<uint64_t>(place);
      const size_t skip = first % 4, words = skip + static_cast<size_t>(count);
      if (i == 0 && count == n) {
        FillRandom(keys, first / 4, (words + 3) / 4, made);
        start = made + skip;
        return;
      }
      FillRandom(keys, first / 4, (words + 3) / 4, row);
      std::memcpy(made + i, row + skip, static_cast<size_t>(count) * sizeof(uint32_t));
      start = made;
    });
  }

  PhiloxKeys keys;
  HWY_ALIGN uint32_t made[kSmallChunk + kMargin];
  HWY_ALIGN uint32_t row[kSmallChunk + kMargin];
  const uint32_t* start = made;
};

template <Rounding kMode, bool kByAdding, bool kCode>
void PackPieces(const PackParams& params, const Piece& piece, const uint8_t* wide, uint8_t* codes,
                int64_t begin, int64_t end, RoundCounts* counts) {
  constexpr bool kRandom = kMode == Rounding::kStochastic;
  const int64_t width = params.code.bytes;
  HWY_ALIGN uint8_t side_by_side[4 * kSmallChunk];
  RandomWords random(params.round.seed);
  ForPieces(piece, begin, end, kRandom ? kSmallChunk : kChunk,
            [&](int64_t i, int64_t count, int64_t place, bool rows) {
              if constexpr (kRandom) random.Fill(params.round, piece, i, count);
              PackChunk<kMode, kByAdding, kCode>(
                  params, random.start, wide + i * params.element.bytes,
                  rows ? side_by_side : codes + place * width, static_cast<size_t>(count), counts);
              if (!rows) return;
              ForRows(piece, i, count, [&](int64_t at, int64_t run, int64_t to) {
                std::memcpy(codes + to * width, side_by_side + at * width,
                            static_cast<size_t>(run * width));
              });
            });
}

template <Rounding kMode>
void PackMode(const PackParams& params, const Piece& piece, const uint8_t* wide, uint8_t* codes,
              int64_t begin, int64_t end, RoundCounts* counts) {
  if (params.code.subnormal_limit > 0) {
    PackPieces<kMode, false, true>(params, piece, wide, codes, begin, end, counts);
  } else if (ByAdding(kMode) && CanAdd(params.round)) {
    PackPieces<kMode, ByAdding(kMode), false>(params, piece, wide, codes, begin, end, counts);
  } else {
    PackPieces<kMode, false, false>(params, piece, wide, codes, begin, end, counts);
  }
}

void PackRange(Rounding rounding, const PackParams& params, const Piece& piece, const void* wide,
               void* codes, int64_t begin, int64_t end, RoundCounts* counts) {
  const auto* from = static_cast<const uint8_t*>(wide);
  auto* to = static_cast<uint8_t*>(codes);
  switch (rounding) {
    case Rounding::kNearestEven:
      return PackMode<Rounding::kNearestEven>(params, piece, from, to, begin, end, counts);
    case Rounding::kNearestAway:
      return PackMode<Rounding::kNearestAway>(params, piece, from, to, begin, end, counts);
    case Rounding::kReference:
      return PackMode<Rounding::kReference>(params, piece, from, to, begin, end, counts);
    case Rounding::kStochastic:
      return PackMode<Rounding::kStochastic>(params, piece, from, to, begin, end, counts);
  }
}

// Rounds float32 bits to stored elements of the wide tensor.
HWY_INLINE void EncodeElements(const UnpackParams& params, const Constants& c,
                               const CodeConstants& k, Group& group, uint8_t* to) {
  LaneCounts unused;
  constexpr Rounding kMode = Rounding::kNearestEven;
  if (params.exact) {
    StoreUpper(group, k, to);
  } else if (params.element.subnormal_limit > 0) {
    EncodeCodes<kMode>(c, k, nullptr, group, unused, to);
  } else {
    EncodeUpper<kMode, false>(c, k, nullptr, group, unused, to);
  }
}

void UnpackChunk(const UnpackParams& params, const uint8_t* codes, uint8_t* wide, size_t n) {
  const Constants c(params.element_round);
  const CodeConstants k(params.element_round, params.code);
  const CodeConstants element(params.element_round, params.element);
  const auto step = [&](size_t, const uint8_t* from, uint8_t* to) HWY_ATTR {
    Group group;
    Decode(from, k, group);
    if (params.add) {
      Group sum;
      Decode(to, element, sum);
      for (size_t j = 0; j < kGroup; ++j) {
        group.v[j] = AsInts(AsFloats(sum.v[j]) + AsFloats(group.v[j]));
      }
    }
    EncodeElements(params, c, element, group, to);
  };
  ForGroups(codes, static_cast<size_t>(params.code.bytes), wide,
            static_cast<size_t>(params.element.bytes), n, step);
}

void UnpackRange(const UnpackParams& params, const Piece& piece, const void* codes, void* wide,
                 int64_t begin, int64_t end) {
  const auto* from = static_cast<const uint8_t*>(codes);
  auto* to = static_cast<uint8_t*>(wide);
  const int64_t width = params.code.bytes;
  HWY_ALIGN uint8_t side_by_side[4 * kSmallChunk];
  ForPieces(piece, begin, end, kChunk, [&](int64_t i, int64_t count, int64_t place, bool rows) {
    if (rows) {
      ForRows(piece, i, count, [&](int64_t at, int64_t run, int64_t row) {
        std::memcpy(side_by_side + at * width, from + row * width,
                    static_cast<size_t>(run * width));
      });
    }
    UnpackChunk(params, rows ? side_by_side : from + place * width, to + i * params.element.bytes,
                static_cast<size_t>(count));
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace mantissa::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mantissa::kernels {

HWY_EXPORT(PackRange);
HWY_EXPORT(UnpackRange);

void PackOnCpu(Rounding rounding, const PackParams& params, const Piece& piece, const void* wide,
               void* codes, int64_t begin, int64_t end, RoundCounts* counts) {
  HWY_DYNAMIC_DISPATCH(PackRange)
  (rounding, params, piece, wide, codes, begin, end, counts);
}

void UnpackOnCpu(const UnpackParams& params, const Piece& piece, const void* codes, void* wide,
                 int64_t begin, int64_t end) {
  HWY_DYNAMIC_DISPATCH(UnpackRange)(params, piece, codes, wide, begin, end);
}

}  // namespace mantissa::kernels
#endif  // HWY_ONCE
