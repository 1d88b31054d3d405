// The CPU bodies of MaskPositive() and ApplyMask(), vectorised with Highway.
#ifndef MANTISSA_KERNELS_PACKED_MASK_CPU_H_
#define MANTISSA_KERNELS_PACKED_MASK_CPU_H_

#include <cstdint>

namespace mantissa::kernels {

// On the calling thread, for `n` elements of 4 or 2 bytes and the mask that begins with theirs.
void MaskPositiveOnCpu(int bytes, uint32_t infinity, const void* wide, int64_t n, uint8_t* mask);
void ApplyMaskOnCpu(int bytes, const uint8_t* mask, int64_t n, void* wide);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_MASK_CPU_H_
