#include "kernels/packed/mask_cpu.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace mantissa::kernels {
namespace {

template <typename Word>
void MaskPositiveOf(Word infinity, const Word* wide, int64_t n, uint8_t* mask) {
  for (int64_t i = 0; i < n; i += 8) {
    uint8_t byte = 0;
    for (int64_t j = 0; j < std::min<int64_t>(8, n - i); ++j) {
      byte |= static_cast<uint8_t>((wide[i + j] >= 1 && wide[i + j] <= infinity) << j);
    }
    mask[i / 8] = byte;
  }
}

template <typename Word>
void ApplyMaskOf(const uint8_t* mask, int64_t n, Word* wide) {
  for (int64_t i = 0; i < n; ++i) {
    if ((mask[i / 8] >> (i % 8) & 1) == 0) wide[i] = 0;
  }
}

}  // namespace

void MaskPositiveOnCpu(int bytes, uint32_t infinity, const void* wide, int64_t n, uint8_t* mask) {
  if (bytes == 4) return MaskPositiveOf(infinity, static_cast<const uint32_t*>(wide), n, mask);
  MaskPositiveOf(static_cast<uint16_t>(infinity), static_cast<const uint16_t*>(wide), n, mask);
}

void ApplyMaskOnCpu(int bytes, const uint8_t* mask, int64_t n, void* wide) {
  if (bytes == 4) return ApplyMaskOf(mask, n, static_cast<uint32_t*>(wide));
  ApplyMaskOf(mask, n, static_cast<uint16_t*>(wide));
}

}  // namespace mantissa::kernels
