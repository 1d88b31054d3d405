#include "kernels/packed/blockwise_cpu.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/packed/round_core.h"

// Highway compiles the part between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each
// instruction set by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/packed/blockwise_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/packed/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mantissa::kernels {
namespace HWY_NAMESPACE {

// A block's elements and zeros after them.
void Pad(const float* wide, size_t n, float* block) {
  std::memcpy(block, wide, n * sizeof(float));
  std::memset(block + n, 0, (kBlockElements - n) * sizeof(float));
}

// The bits of the largest magnitude.
uint32_t Largest(const float* block) {
  const IntTag d;
  Ints largest = hn::Zero(d);
  for (size_t i = 0; i < kBlockElements; i += hn::Lanes(d)) {
    const Ints bits = AsInts(hn::LoadU(FloatTag(), block + i));
    largest = hn::Max(largest, hn::AndNot(Constants::Int(kSignBit), bits));
  }
  return static_cast<uint32_t>(hn::GetLane(hn::MaxOfLanes(d, largest)));
}

// Scaled(), and the bins that it falls into.
void ScaleAndBin(const float* block, float scale, float* scaled, uint32_t* bins) {
  const IntTag d;
  const Floats divisor = hn::Set(FloatTag(), scale == 0 ? 1.0f : scale);
  const Ints first = Constants::Int(BlockLookup::kFirstBin),
             last = Constants::Int(BlockLookup::kLastBin);
  for (size_t i = 0; i < kBlockElements; i += hn::Lanes(d)) {
    const Floats quotient = hn::LoadU(FloatTag(), block + i) / divisor;
    const Ints bits = AsInts(quotient);
    const Ints top =
        hn::ShiftRight<BlockLookup::kBinShift>(hn::AndNot(Constants::Int(kSignBit), bits));
    const Ints half = hn::BroadcastSignBit(bits) & Constants::Int(BlockLookup::kBins);
    const Ints bin = hn::Min(hn::Max(top, first), last) - first + half;
    hn::StoreU(quotient, FloatTag(), scaled + i);
    hn::StoreU(hn::BitCast(WordTag(), bin), WordTag(), bins + i);
  }
}

float PackBlock(const BlockLookup& lookup, const float* wide, int64_t n, uint8_t* codes) {
  HWY_ALIGN float padded[kBlockElements], scaled[kBlockElements];
  HWY_ALIGN uint32_t bins[kBlockElements];
  const size_t count = static_cast<size_t>(n);
  if (n < kBlockElements) {
    Pad(wide, count, padded);
    wide = padded;
  }
  const uint32_t largest = Largest(wide);
  const float scale = BlockScale(largest);
  if (largest >= kInfinityBits) {
    std::memset(codes, 0, count);
    return scale;
  }
  ScaleAndBin(wide, scale, scaled, bins);
  const uint8_t* first = lookup.first.data();
  const float* middle = lookup.table.middle;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t place = first[bins[i]];
    codes[i] = static_cast<uint8_t>(place + (middle[place] < scaled[i]));
  }
  return scale;
}

void UnpackBlock(const BlockLookup& lookup, const uint8_t* codes, float scale, int64_t n,
                 float* wide) {
  const IntTag d;
  const hn::Rebind<uint8_t, IntTag> bytes;
  const Floats factor = hn::Set(FloatTag(), scale);
  const size_t count = static_cast<size_t>(n), lanes = hn::Lanes(d);
  const float* values = lookup.table.value;
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Ints places = hn::PromoteTo(d, hn::LoadU(bytes, codes + i));
    hn::StoreU(hn::GatherIndex(FloatTag(), values, places) * factor, FloatTag(), wide + i);
  }
  for (; i < count; ++i) wide[i] = values[codes[i]] * scale;
}

}  // namespace HWY_NAMESPACE
}  // namespace mantissa::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mantissa::kernels {

HWY_EXPORT(PackBlock);
HWY_EXPORT(UnpackBlock);

BlockLookup::BlockLookup(bool has_sign) : table(MakeBlockTable(has_sign)), first(2 * kBins) {
  for (uint32_t bin = 0; bin < kBins; ++bin) {
    const float inner = bin == 0 ? 0 : FloatOf((kFirstBin + bin) << kBinShift);
    const float outer = FloatOf((kFirstBin + bin + 1) << kBinShift);
    first[bin] = PlaceInTable(table.middle, inner, 1);
    first[kBins + bin] = PlaceInTable(table.middle, -outer, 1);
  }
}

float PackBlockOnCpu(const BlockLookup& lookup, const float* wide, int64_t n, uint8_t* codes) {
  return HWY_DYNAMIC_DISPATCH(PackBlock)(lookup, wide, n, codes);
}

void UnpackBlockOnCpu(const BlockLookup& lookup, const uint8_t* codes, float scale, int64_t n,
                      float* wide) {
  HWY_DYNAMIC_DISPATCH(UnpackBlock)(lookup, codes, scale, n, wide);
}

}  // namespace mantissa::kernels
#endif  // HWY_ONCE
