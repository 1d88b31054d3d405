// The CPU bodies of PackBlocks() and UnpackBlocks(), for a block on the calling thread.
#ifndef MANTISSA_KERNELS_PACKED_BLOCKWISE_CPU_H_
#define MANTISSA_KERNELS_PACKED_BLOCKWISE_CPU_H_

#include <cstdint>
#include <vector>

#include "kernels/packed/blockwise_core.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// A table, and a shorter way to PlaceInTable()'s answer. All values with the same sign, exponent
// and top seven bits of the mantissa, a bin, have at most one of a table's middles among them, so
// the place of the lowest of them and a look at one middle give the place of each.
struct BlockLookup {
  static constexpr int kBinShift = 16;
  static constexpr uint32_t kLastBin = kOneBits >> kBinShift;
  // Below 2^-23, and so below the first middle beside zero, all are one bin.
  static constexpr uint32_t kFirstBin = kLastBin - (23 << 7);
  static constexpr uint32_t kBins = kLastBin - kFirstBin + 1;

  explicit BlockLookup(bool has_sign);

  BlockTableData table;
  // By bin, those of values below zero after the others.
  std::vector<uint8_t> first;
};

// Returns the block's scale.
float PackBlockOnCpu(const BlockLookup& lookup, const float* wide, int64_t n, uint8_t* codes);
void UnpackBlockOnCpu(const BlockLookup& lookup, const uint8_t* codes, float scale, int64_t n,
                      float* wide);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_BLOCKWISE_CPU_H_
