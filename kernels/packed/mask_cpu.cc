#include "kernels/packed/mask_cpu.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

// Highway compiles the part between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each
// instruction set by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/packed/mask_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mantissa::kernels {
namespace HWY_NAMESPACE {

namespace hn = ::hwy::HWY_NAMESPACE;

// Bits that Highway reads and writes at a time are those of a vector, which may be less than a
// byte.
constexpr size_t kByte = 8;

// Bits of up to a byte's or a vector's elements. Words are signed: zero and what has a sign are not
// above zero, a NaN is above infinity.
template <typename Word>
HWY_INLINE void StorePositive(Word infinity, const Word* wide, uint8_t* mask) {
  const hn::ScalableTag<Word> d;
  const size_t lanes = hn::Lanes(d);
  const auto positive = [&](const Word* from) HWY_ATTR {
    const auto v = hn::LoadU(d, from);
    return hn::AndNot(v > hn::Set(d, infinity), v > hn::Zero(d));
  };
  if (lanes >= kByte) {
    hn::StoreMaskBits(d, positive(wide), mask);
    return;
  }
  uint8_t byte = 0;
  for (size_t j = 0; j < kByte; j += lanes) {
    uint8_t bits[kByte];
    hn::StoreMaskBits(d, positive(wide + j), bits);
    byte = static_cast<uint8_t>(byte | (bits[0] & ((1u << lanes) - 1)) << j);
  }
  *mask = byte;
}

template <typename Word>
void MaskPositiveOf(uint32_t infinity, const void* elements, size_t n, uint8_t* mask) {
  const auto limit = static_cast<Word>(infinity);
  const auto* wide = static_cast<const Word*>(elements);
  const size_t step = std::max(kByte, hn::Lanes(hn::ScalableTag<Word>()));
  size_t i = 0;
  for (; i + step <= n; i += step) StorePositive(limit, wide + i, mask + i / kByte);
  for (; i < n; i += kByte) {
    uint8_t byte = 0;
    for (size_t j = 0; j < std::min(kByte, n - i); ++j) {
      byte = static_cast<uint8_t>(byte | (wide[i + j] > 0 && wide[i + j] <= limit) << j);
    }
    mask[i / kByte] = byte;
  }
}

template <typename Word>
void ApplyMaskOf(const uint8_t* mask, size_t n, void* elements) {
  const hn::ScalableTag<Word> d;
  auto* wide = static_cast<Word*>(elements);
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    uint8_t bits[kByte] = {};
    std::memcpy(bits, mask + i / kByte, (lanes + kByte - 1) / kByte);
    bits[0] = static_cast<uint8_t>(bits[0] >> i % kByte);
    const auto keep = hn::LoadMaskBits(d, bits);
    hn::StoreU(hn::IfThenElseZero(keep, hn::LoadU(d, wide + i)), d, wide + i);
  }
  for (; i < n; ++i) {
    if ((mask[i / kByte] >> (i % kByte) & 1) == 0) wide[i] = 0;
  }
}

void MaskPositive(int bytes, uint32_t infinity, const void* wide, int64_t n, uint8_t* mask) {
  const size_t count = static_cast<size_t>(n);
  if (bytes == 4) return MaskPositiveOf<int32_t>(infinity, wide, count, mask);
  MaskPositiveOf<int16_t>(infinity, wide, count, mask);
}

void ApplyMask(int bytes, const uint8_t* mask, int64_t n, void* wide) {
  const size_t count = static_cast<size_t>(n);
  if (bytes == 4) return ApplyMaskOf<int32_t>(mask, count, wide);
  ApplyMaskOf<int16_t>(mask, count, wide);
}

}  // namespace HWY_NAMESPACE
}  // namespace mantissa::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mantissa::kernels {

HWY_EXPORT(MaskPositive);
HWY_EXPORT(ApplyMask);

void MaskPositiveOnCpu(int bytes, uint32_t infinity, const void* wide, int64_t n, uint8_t* mask) {
  HWY_DYNAMIC_DISPATCH(MaskPositive)(bytes, infinity, wide, n, mask);
}

void ApplyMaskOnCpu(int bytes, const uint8_t* mask, int64_t n, void* wide) {
  HWY_DYNAMIC_DISPATCH(ApplyMask)(bytes, mask, n, wide);
}

}  // namespace mantissa::kernels
#endif  // HWY_ONCE
