#include "kernels/packed/blockwise_cpu.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/packed/round_core.h"

namespace mantissa::kernels {
namespace {

// A shorter way to PlaceInTable()'s answer. All values with the same sign, exponent and top seven
// bits of the mantissa have at most one of a table's middles among them, so the place of the lowest
// of them and a look at one middle give the place of each.
constexpr int kBinShift = 16;
constexpr uint32_t kOne = kOneBits >> kBinShift;
// Below 2^-23, and so below the first middle beside zero, all are one bin.
constexpr uint32_t kFirst = kOne - (23 << 7);
constexpr uint32_t kBins = kOne - kFirst + 1;

uint32_t BinOf(uint32_t bits) {
  const uint32_t bin = std::clamp((bits & ~kSignBit) >> kBinShift, kFirst, kOne) - kFirst;
  return bits & kSignBit ? kBins + bin : bin;
}

}  // namespace

BlockLookup::BlockLookup(bool has_sign) : table(MakeBlockTable(has_sign)), first(2 * kBins) {
  for (uint32_t bin = 0; bin < kBins; ++bin) {
    const float inner = bin == 0 ? 0 : FloatOf((kFirst + bin) << kBinShift);
    const float outer = FloatOf((kFirst + bin + 1) << kBinShift);
    first[bin] = PlaceInTable(table.middle, inner, 1);
    first[kBins + bin] = PlaceInTable(table.middle, -outer, 1);
  }
}

float PackBlockOnCpu(const BlockLookup& lookup, const float* wide, int64_t n, uint8_t* codes) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < n; ++i) largest = std::max(largest, BitsOf(wide[i]) & ~kSignBit);
  const float scale = BlockScale(largest);
  if (largest >= kInfinityBits) {
    std::memset(codes, 0, static_cast<size_t>(n));
    return scale;
  }
  for (int64_t i = 0; i < n; ++i) {
    const float scaled = Scaled(wide[i], scale);
    const uint8_t place = lookup.first[BinOf(BitsOf(scaled))];
    codes[i] = static_cast<uint8_t>(place + (lookup.table.middle[place] < scaled));
  }
  return scale;
}

void UnpackBlockOnCpu(const BlockLookup& lookup, const uint8_t* codes, float scale, int64_t n,
                      float* wide) {
  for (int64_t i = 0; i < n; ++i) wide[i] = lookup.table.value[codes[i]] * scale;
}

}  // namespace mantissa::kernels
