// Masks of a bit an element, as ReLU's backward needs one. Example:
//
//   std::vector<uint8_t> mask(MaskBytes(n));
//   RETURN_IF_ERROR(MaskPositive(device, Element::kFloat32, y, /*first=*/0, n, mask.data()));
//   RETURN_IF_ERROR(ApplyMask(device, Element::kFloat32, mask.data(), /*first=*/0, n, gradient));
//
// Bit i % 8 of byte i / 8 is element i's. On CUDA as kernels/packed/pack.h says.
#ifndef MANTISSA_KERNELS_PACKED_MASK_H_
#define MANTISSA_KERNELS_PACKED_MASK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/packed/pack.h"

namespace mantissa::kernels {

constexpr int64_t MaskBytes(int64_t elements) { return (elements + 7) / 8; }

// Sets bits `first` to `first + n` of the mask: whether wide[i] > 0, so not for NaN. Bits of the
// last byte beyond them become 0. REQUIRES: first is a multiple of 8.
absl::Status MaskPositive(const Device& device, Element element, const void* wide, int64_t first,
                          int64_t n, uint8_t* mask);

// wide[i] = bit `first + i` ? wide[i] : +0, where wide[i] may be anything, infinity included.
// REQUIRES: first is a multiple of 8.
absl::Status ApplyMask(const Device& device, Element element, const uint8_t* mask, int64_t first,
                       int64_t n, void* wide);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_MASK_H_
