#include "kernels/packed/blockwise_cpu.h"

#include <cstdint>

#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

float PackBlockOnCpu(const BlockTableData& table, const float* wide, int64_t n, uint8_t* codes) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t magnitude = BitsOf(wide[i]) & ~kSignBit;
    largest = magnitude > largest ? magnitude : largest;
  }
  const float scale = FloatOf(largest < kInfinityBits ? largest : kInfinityBits | kQuietBit);
  const float divisor = largest == 0 ? 1 : scale;
  for (int64_t i = 0; i < n; ++i) {
    codes[i] = static_cast<uint8_t>(NearestInTable(table.middle, wide[i] / divisor));
  }
  return scale;
}

void UnpackBlockOnCpu(const BlockTableData& table, const uint8_t* codes, float scale, int64_t n,
                      float* wide) {
  for (int64_t i = 0; i < n; ++i) wide[i] = table.value[codes[i]] * scale;
}

}  // namespace mantissa::kernels
