// How the CUDA bodies of PackBlocks() and UnpackBlocks() reach them: blockwise.cu registers them at
// program start.
#ifndef MANTISSA_KERNELS_PACKED_BLOCKWISE_CUDA_H_
#define MANTISSA_KERNELS_PACKED_BLOCKWISE_CUDA_H_

#include <cstdint>

namespace mantissa::kernels {

// Enqueue the work on `stream`, a cudaStream_t. All pointers are device pointers. Null, or what
// went wrong, as a text that lives forever.
using PackBlocksOnCuda = const char*(bool has_sign, const float* wide, int64_t n, uint8_t* codes,
                                     float* scales, void* stream);
using UnpackBlocksOnCuda = const char*(bool has_sign, const uint8_t* codes, const float* scales,
                                       int64_t n, float* wide, void* stream);

// Makes these the CUDA bodies. Returns true, so that a static can call it.
bool RegisterBlocksOnCuda(PackBlocksOnCuda* pack, UnpackBlocksOnCuda* unpack);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_BLOCKWISE_CUDA_H_
