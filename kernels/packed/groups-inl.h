// Groups of vectors, from memory and to it, for the CPU bodies: what is best done for several at a
// time. Highway compiles it once for each instruction set.
#if defined(MANTISSA_KERNELS_PACKED_GROUPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MANTISSA_KERNELS_PACKED_GROUPS_INL_H_
#undef MANTISSA_KERNELS_PACKED_GROUPS_INL_H_
#else
#define MANTISSA_KERNELS_PACKED_GROUPS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/packed/codes-inl.h"
#include "kernels/packed/lanes-inl.h"
#include "kernels/packed/pack_core.h"

HWY_BEFORE_NAMESPACE();
namespace mantissa::kernels {
namespace HWY_NAMESPACE {

// Vectors worked on at a time.
constexpr size_t kGroup = 4;
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

// Whether no code of a group is of infinity or NaN.
template <typename T>
HWY_INLINE bool IsFinite(const T* from, const CodeParams& p) {
  const hn::ScalableTag<T> d;
  const auto nan = hn::Set(d, static_cast<T>(p.nan));
  const auto magnitude = hn::Set(d, static_cast<T>(p.sign - 1));
  const auto below_infinity = hn::Set(d, static_cast<T>(p.infinity - 1));
  bool finite = true;
  for (size_t i = 0; i < kGroup * hn::Lanes(IntTag()); i += hn::Lanes(d)) {
    const auto code = hn::LoadU(d, from + i);
    finite &= hn::AllFalse(d, hn::Or(code == nan, (code & magnitude) > below_infinity));
  }
  return finite;
}

// A group of codes of 1 or 2 bytes to float32 bits.
template <typename T>
HWY_INLINE void DecodeCodes(const T* from, const CodeConstants& k, Group& group) {
  LoadWords(from, group);
  if (HWY_LIKELY(IsFinite(from, k.code))) {
    for (Ints& v : group.v) v = UnpackLanes<true>(v, k);
  } else {
    for (Ints& v : group.v) v = UnpackLanes<false>(v, k);
  }
}

// A group of elements or codes to float32 bits.
HWY_INLINE void Decode(const uint8_t* from, const CodeConstants& k, Group& group) {
  if (k.code.subnormal_limit == 0) {
    LoadGroup(from, k.code.bytes, group);
    if (k.code.shift == 0) return;
    for (Ints& v : group.v) v = hn::ShiftLeftSame(v, k.shift);
  } else if (k.code.bytes == 1) {
    DecodeCodes(from, k, group);
  } else {
    DecodeCodes(reinterpret_cast<const uint16_t*>(from), k, group);
  }
}

// A vector a word is nothing to make narrow.
#if HWY_TARGET != HWY_SCALAR

using HalfTag = hn::ScalableTag<uint16_t>;
using ByteTag = hn::ScalableTag<uint8_t>;

// The lower or the upper halves of two vectors' lanes, of which D's are halves.
template <bool kUpper, class D, class V>
HWY_INLINE hn::Vec<D> Halves(D d, V first, V second) {
  if constexpr (kUpper) return hn::ConcatOdd(d, hn::BitCast(d, second), hn::BitCast(d, first));
  return hn::ConcatEven(d, hn::BitCast(d, second), hn::BitCast(d, first));
}

// Codes of LowCodes() with signs at their places among other bits. Minus zero, which has no code of
// its own, would have that of NaN, of which there are none.
template <class D, class V>
HWY_INLINE V WithSigns(D d, V low, V signs, const CodeParams& p) {
  using T = hn::TFromD<D>;
  const V code = low - hn::Set(d, static_cast<T>(p.subnormal_limit >> p.shift));
  const V with_sign = hn::OrAnd(code, signs, hn::Set(d, static_cast<T>(p.sign)));
  return hn::IfThenZeroElse(with_sign == hn::Set(d, static_cast<T>(p.nan)), with_sign);
}

// A group's codes, of LowCodes(), with the signs of the float32 bits that they were made of. All
// after half or a quarter of the vectors are left. REQUIRES: IsPlain().
template <typename T>
HWY_INLINE void StorePlain(const Group& low, const Group& bits, const CodeConstants& k, T* to) {
  const HalfTag d;
  hn::Vec<HalfTag> codes[kGroup / 2], signs[kGroup / 2];
  const int sign_shift = k.sign_shift - (32 - 8 * static_cast<int>(sizeof(T)));
  for (size_t i = 0; i < kGroup / 2; ++i) {
    codes[i] = Halves<false>(d, low.v[2 * i], low.v[2 * i + 1]);
    signs[i] = hn::ShiftRightSame(Halves<true>(d, bits.v[2 * i], bits.v[2 * i + 1]), sign_shift);
  }
  if constexpr (sizeof(T) == 2) {
    for (size_t i = 0; i < kGroup / 2; ++i) {
      hn::StoreU(WithSigns(d, codes[i], signs[i], k.code), d, to + i * hn::Lanes(d));
    }
  } else {
    static_assert(kGroup == 4);
    const ByteTag db;
    hn::StoreU(WithSigns(db, Halves<false>(db, codes[0], codes[1]),
                         Halves<true>(db, signs[0], signs[1]), k.code),
               db, to);
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

// The upper 2 bytes of float32 bits, or all 4.
HWY_INLINE void StoreUpper(const Group& group, const CodeConstants& k, uint8_t* to) {
#if HWY_TARGET != HWY_SCALAR
  if (k.shift == 16) {
    const HalfTag d;
    for (size_t j = 0; j < kGroup; j += 2) {
      hn::StoreU(Halves<true>(d, group.v[j], group.v[j + 1]), d,
                 reinterpret_cast<uint16_t*>(to) + j * hn::Lanes(IntTag()));
    }
    return;
  }
#endif
  Group upper;
  for (size_t j = 0; j < kGroup; ++j) upper.v[j] = ShiftRightLogical(group.v[j], k.shift);
  StoreGroup(upper, k.code.bytes, to);
}

}  // namespace HWY_NAMESPACE
}  // namespace mantissa::kernels
HWY_AFTER_NAMESPACE();

#endif  // MANTISSA_KERNELS_PACKED_GROUPS_INL_H_
