// The CPU bodies of PackBlocks() and UnpackBlocks(), for a block on the calling thread.
#ifndef MANTISSA_KERNELS_PACKED_BLOCKWISE_CPU_H_
#define MANTISSA_KERNELS_PACKED_BLOCKWISE_CPU_H_

#include <cstdint>

#include "kernels/packed/blockwise_core.h"

namespace mantissa::kernels {

// Returns the block's scale.
float PackBlockOnCpu(const BlockTableData& table, const float* wide, int64_t n, uint8_t* codes);
void UnpackBlockOnCpu(const BlockTableData& table, const uint8_t* codes, float scale, int64_t n,
                      float* wide);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_BLOCKWISE_CPU_H_
