// 8-bit optimizer state: each block of 2048 elements is stored as its largest magnitude in float32
// and a byte an element, which indexes a table of 256 values between -1 and 1 (0 and 1 without
// sign) that are dense near zero. Source: Dettmers, Lewis, Shleifer, Zettlemoyer, "8-bit Optimizers
// via Block-wise Quantization", ICLR 2022, sections 1.2 and 2 (dynamic tree quantization). Example:
//
//   std::vector<uint8_t> codes(n);
//   std::vector<float> scales(BlockCount(n));
//   RETURN_IF_ERROR(PackBlocks(device, BlockTable::kSigned, x, n, codes.data(), scales.data()));
//   RETURN_IF_ERROR(UnpackBlocks(device, BlockTable::kSigned, codes.data(), scales.data(), n, x));
//
// A block that holds NaN or infinity comes back as NaN. On CUDA as kernels/packed/pack.h says.
#ifndef MANTISSA_KERNELS_PACKED_BLOCKWISE_H_
#define MANTISSA_KERNELS_PACKED_BLOCKWISE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/packed/blockwise_core.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {

constexpr int64_t BlockCount(int64_t elements) {
  return (elements + kBlockElements - 1) / kBlockElements;
}

enum class BlockTable {
  kSigned,    // a momentum
  kUnsigned,  // a second moment: no element is below zero
};

// To the nearest value of the table.
absl::Status PackBlocks(const Device& device, BlockTable table, const float* wide, int64_t n,
                        uint8_t* codes, float* scales);

absl::Status UnpackBlocks(const Device& device, BlockTable table, const uint8_t* codes,
                          const float* scales, int64_t n, float* wide);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_BLOCKWISE_H_
