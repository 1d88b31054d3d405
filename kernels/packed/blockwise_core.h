// The tables of kernels/packed/blockwise.h, and how a value finds its place in one. Example:
//
//   uint8_t code = PlaceInTable(MakeBlockTable(/*has_sign=*/true).middle, x, scale);
//
// Free of any dependency, since nvcc compiles it too.
#ifndef MANTISSA_KERNELS_PACKED_BLOCKWISE_CORE_H_
#define MANTISSA_KERNELS_PACKED_BLOCKWISE_CORE_H_

#include <cstdint>

#include "base/philox.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// Elements that share a scale.
inline constexpr int64_t kBlockElements = 2048;

inline constexpr int kTableSize = 256;

// Ascending values, and between values i and i + 1 the middle; the last middle is beyond all.
struct BlockTableData {
  float value[kTableSize];
  float middle[kTableSize];
};

// Dynamic tree quantization: seven decades, from 10^-7 to 1. Decade d has 2^d intervals (with sign;
// twice as many without), and their centres are values, with both signs; and so are 0 and 1.
constexpr BlockTableData MakeBlockTable(bool has_sign) {
  constexpr int kDecades = 7;
  BlockTableData table = {};
  const int zero = has_sign ? kTableSize / 2 - 1 : 0;
  int next = zero + 1;
  double decade = 1e-6;
  for (int d = 0; d < kDecades; ++d) {
    const int intervals = (has_sign ? 1 : 2) << d;
    for (int i = 0; i < intervals; ++i) {
      const double centre = decade * (0.1 + 0.9 * (i + 0.5) / intervals);
      if (has_sign) table.value[zero - (next - zero)] = static_cast<float>(-centre);
      table.value[next++] = static_cast<float>(centre);
    }
    decade *= 10;
  }
  table.value[next] = 1;
  for (int i = 0; i + 1 < kTableSize; ++i) {
    table.middle[i] =
        static_cast<float>((static_cast<double>(table.value[i]) + table.value[i + 1]) / 2);
  }
  table.middle[kTableSize - 1] = 2;
  return table;
}

// A block's scale, of the bits of its largest magnitude: NaN if that is not finite.
MANTISSA_HOST_DEVICE inline float BlockScale(uint32_t largest) {
  return FloatOf(largest < kInfinityBits ? largest : kInfinityBits | kQuietBit);
}

// What is looked up in the table: between -1 and 1, or NaN.
MANTISSA_HOST_DEVICE inline float Scaled(float x, float scale) {
  return scale == 0 ? x : x / scale;
}

// Where the value nearest to x / scale stands; of two equally near ones the lower. `middle` is a
// table's. 0 for NaN.
MANTISSA_HOST_DEVICE inline uint8_t PlaceInTable(const float* middle, float x, float scale) {
  const float scaled = Scaled(x, scale);
  int place = 0;
  for (int step = kTableSize / 2; step > 0; step /= 2) {
    if (middle[place + step - 1] < scaled) place += step;
  }
  return static_cast<uint8_t>(place);
}

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_BLOCKWISE_CORE_H_
