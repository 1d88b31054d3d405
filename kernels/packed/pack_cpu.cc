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
#include "kernels/packed/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mantissa::kernels {
namespace HWY_NAMESPACE {

// Elements worked on at a time: before the lanes' 32-bit counts are summed up; and where random
// words are made first, or the codes of short rows put side by side.
constexpr int64_t kChunk = 1 << 20;
constexpr int64_t kSmallChunk = 1024;
// Vectors worked on at a time.
constexpr size_t kGroup = 4;
constexpr size_t kGroupLanes = kGroup * hn::MaxLanes(IntTag());

struct Group {
  Ints v[kGroup];
};

template <typename T>
HWY_INLINE void LoadWords(const T* from, Group& group) {
  const hn::Rebind<T, WordTag> d;
  for (size_t j = 0; j < kGroup; ++j) {
    const auto words = hn::LoadU(d, from + j * hn::Lanes(d));
    if constexpr (sizeof(T) == 4) {
      group.v[j] = hn::BitCast(IntTag(), words);
    } else {
      group.v[j] = hn::PromoteTo(IntTag(), words);
    }
  }
}

template <typename T>
HWY_INLINE void StoreWords(const Group& group, T* to) {
  const hn::Rebind<T, WordTag> d;
  for (size_t j = 0; j < kGroup; ++j) {
    const auto words = hn::BitCast(WordTag(), group.v[j]);
    if constexpr (sizeof(T) == 4) {
      hn::StoreU(words, d, to + j * hn::Lanes(d));
    } else {
      hn::StoreU(hn::TruncateTo(d, words), d, to + j * hn::Lanes(d));
    }
  }
}

// A group of codes of 1, 2 or 4 bytes.
HWY_INLINE void LoadGroup(const uint8_t* from, int bytes, Group& group) {
  switch (bytes) {
    case 1:
      return LoadWords(from, group);
    case 2:
      return LoadWords(reinterpret_cast<const uint16_t*>(from), group);
    default:
      return LoadWords(reinterpret_cast<const uint32_t*>(from), group);
  }
}

HWY_INLINE void StoreGroup(const Group& group, int bytes, uint8_t* to) {
  switch (bytes) {
    case 1:
      return StoreWords(group, to);
    case 2:
      return StoreWords(group, reinterpret_cast<uint16_t*>(to));
    default:
      return StoreWords(group, reinterpret_cast<uint32_t*>(to));
  }
}

// Codes to float32 bits.
HWY_INLINE void DecodeGroup(const CodeParams& code, const CodeConstants& k, Group& group) {
  if (code.subnormal_limit > 0) {
    for (Ints& v : group.v) v = UnpackLanes(v, k);
  } else if (code.shift > 0) {
    for (Ints& v : group.v) v = hn::ShiftLeftSame(v, k.shift);
  }
}

// Float32 bits to codes. kCode: of a format with fewer than 8 exponent bits; else they are the
// upper part of the rounded bits. kPlain as in lanes-inl.h.
template <Rounding kMode, bool kByAdding, bool kCode, bool kPlain>
HWY_INLINE void EncodeGroup(const Constants& c, const CodeConstants& k, const uint32_t* random,
                            Group& group, LaneCounts& found) {
  for (size_t j = 0; j < kGroup; ++j) {
    Ints words = hn::Zero(IntTag());
    if constexpr (kMode == Rounding::kStochastic) {
      words = hn::BitCast(IntTag(), hn::LoadU(WordTag(), random + j * hn::Lanes(WordTag())));
    }
    if constexpr (kCode) {
      group.v[j] = PackLanes<kMode, kPlain>(group.v[j], words, c, k, found);
    } else {
      const Ints bits = RoundLanes<kMode, kByAdding, kPlain>(group.v[j], words, c, found);
      group.v[j] = ShiftRightLogical(bits, k.shift);
    }
  }
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

// At most kChunk elements. `random` has n words, and room to read a group more.
template <Rounding kMode, bool kByAdding, bool kCode>
void PackChunk(const PackParams& params, const uint32_t* random, const uint8_t* wide,
               uint8_t* codes, size_t n, RoundCounts* counts) {
  const Constants c(params.round);
  const CodeConstants k(params.round, params.code), element(params.round, params.element);
  LaneCounts found;
  const auto step = [&](size_t i, const uint8_t* from, uint8_t* to) HWY_ATTR {
    Group group;
    LoadGroup(from, params.element.bytes, group);
    DecodeGroup(params.element, element, group);
    if (HWY_LIKELY(IsPlain(group.v, c))) {
      EncodeGroup<kMode, kByAdding, kCode, true>(c, k, random + i, group, found);
    } else {
      EncodeGroup<kMode, kByAdding, kCode, false>(c, k, random + i, group, found);
    }
    StoreGroup(group, params.code.bytes, to);
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
  static constexpr size_t kMargin = 4 + 4 * hn::MaxLanes(PairTag()) + kGroupLanes;

  void Fill(const RoundParams& params, const Piece& piece, int64_t begin, int64_t n) {
    ForRows(piece, begin, n, [&](int64_t i, int64_t count, int64_t place) HWY_ATTR {
      const uint64_t first = params.offset + static_cast<uint64_t>(place);
      const size_t skip = first % 4, words = skip + static_cast<size_t>(count);
      if (i == 0 && count == n) {
        FillRandom(params.seed, first / 4, (words + 3) / 4, made);
        start = made + skip;
        return;
      }
      FillRandom(params.seed, first / 4, (words + 3) / 4, row);
      std::memcpy(made + i, row + skip, static_cast<size_t>(count) * sizeof(uint32_t));
      start = made;
    });
  }

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
  RandomWords random;
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
  constexpr bool kEven = kMode == Rounding::kNearestEven;
  if (params.code.subnormal_limit > 0) {
    PackPieces<kMode, false, true>(params, piece, wide, codes, begin, end, counts);
  } else if (kEven && CanAdd(params.round)) {
    PackPieces<kMode, kEven, false>(params, piece, wide, codes, begin, end, counts);
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

// Rounds float32 bits to the wide tensor's elements.
template <bool kPlain>
HWY_INLINE void EncodeElements(const UnpackParams& params, const Constants& c,
                               const CodeConstants& k, Group& group) {
  LaneCounts unused;
  constexpr Rounding kMode = Rounding::kNearestEven;
  if (params.exact) {
    for (Ints& v : group.v) v = ShiftRightLogical(v, k.shift);
  } else if (params.element.subnormal_limit > 0) {
    EncodeGroup<kMode, false, true, kPlain>(c, k, nullptr, group, unused);
  } else {
    EncodeGroup<kMode, false, false, kPlain>(c, k, nullptr, group, unused);
  }
}

void UnpackChunk(const UnpackParams& params, const uint8_t* codes, uint8_t* wide, size_t n) {
  const Constants c(params.element_round);
  const CodeConstants k(params.element_round, params.code);
  const CodeConstants element(params.element_round, params.element);
  const auto step = [&](size_t, const uint8_t* from, uint8_t* to) HWY_ATTR {
    Group group;
    LoadGroup(from, params.code.bytes, group);
    DecodeGroup(params.code, k, group);
    if (params.add) {
      Group sum;
      LoadGroup(to, params.element.bytes, sum);
      DecodeGroup(params.element, element, sum);
      for (size_t j = 0; j < kGroup; ++j) {
        group.v[j] = AsInts(AsFloats(sum.v[j]) + AsFloats(group.v[j]));
      }
    }
    if (params.exact || IsPlain(group.v, c)) {
      EncodeElements<true>(params, c, element, group);
    } else {
      EncodeElements<false>(params, c, element, group);
    }
    StoreGroup(group, params.element.bytes, to);
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
