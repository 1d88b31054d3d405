// The CPU bodies of PackBlocks() and UnpackBlocks(), for a block on the calling thread.
#ifndef MANTISSA_KERNELS_PACKED_BLOCKWISE_CPU_H_
#define MANTISSA_KERNELS_PACKED_BLOCKWISE_CPU_H_

#include <cstdint>
#include <vector>

#include "kernels/packed/blockwise_core.h"

namespace mantissa::kernels {

// A table, and for each bin of scaled values the place of the lowest of them.
struct BlockLookup {
  explicit BlockLookup(bool has_sign);

  BlockTableData table;
  std::vector<uint8_t> first;
};

// Returns the block's scale.
float PackBlockOnCpu(const BlockLookup& lookup, const float* wide, int64_t n, uint8_t* codes);
void UnpackBlockOnCpu(const BlockLookup& lookup, const uint8_t* codes, float scale, int64_t n,
                      float* wide);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_BLOCKWISE_CPU_H_
