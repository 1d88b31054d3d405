// How the CUDA bodies of MaskPositive() and ApplyMask() reach them: mask.cu registers them at
// program start.
#ifndef MANTISSA_KERNELS_PACKED_MASK_CUDA_H_
#define MANTISSA_KERNELS_PACKED_MASK_CUDA_H_

#include <cstdint>

namespace mantissa::kernels {

// As kernels/packed/mask_cpu.h says, enqueued on `stream`, a cudaStream_t. All pointers are device
// pointers. Null, or what went wrong, as a text that lives forever.
using MaskPositiveOnCuda = const char*(int bytes, uint32_t infinity, const void* wide, int64_t n,
                                       uint8_t* mask, void* stream);
using ApplyMaskOnCuda = const char*(int bytes, const uint8_t* mask, int64_t n, void* wide,
                                    void* stream);

// Makes these the CUDA bodies. Returns true, so that a static can call it.
bool RegisterMaskOnCuda(MaskPositiveOnCuda* positive, ApplyMaskOnCuda* apply);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_MASK_CUDA_H_
