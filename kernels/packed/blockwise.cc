#include "kernels/packed/blockwise.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/packed/blockwise_core.h"
#include "kernels/packed/blockwise_cpu.h"
#include "kernels/packed/blockwise_cuda.h"
#include "kernels/packed/cuda_body.h"
#include "kernels/packed/round.h"
#include "kernels/packed/threads.h"

namespace mantissa::kernels {
namespace {

constexpr int64_t kGrainBlocks = 4;

struct CudaBodies {
  PackBlocksOnCuda* pack = nullptr;
  UnpackBlocksOnCuda* unpack = nullptr;
};

absl::Status Check(int64_t n) {
  if (n >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("blocks were asked for ", n, " elements; allowed 0 or more."));
}

const BlockLookup& LookupOf(BlockTable table) {
  static const BlockLookup* const with_sign = new BlockLookup(true);
  static const BlockLookup* const without = new BlockLookup(false);
  return table == BlockTable::kSigned ? *with_sign : *without;
}

// Runs body(block, first element, elements) over all blocks.
template <typename Body>
void SpreadBlocks(const Device& device, int64_t n, const Body& body) {
  Spread(device, BlockCount(n), kGrainBlocks, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kBlockElements;
      body(block, first, std::min(kBlockElements, n - first));
    }
  });
}

}  // namespace

bool RegisterBlocksOnCuda(PackBlocksOnCuda* pack, UnpackBlocksOnCuda* unpack) {
  Registered<CudaBodies>() = {pack, unpack};
  return true;
}

absl::Status PackBlocks(const Device& device, BlockTable table, const float* wide, int64_t n,
                        uint8_t* codes, float* scales) {
  if (absl::Status status = Check(n); !status.ok()) return status;
  if (n == 0) return absl::OkStatus();
  if (device.is_cuda()) {
    return RunOnCuda("packing blocks", Registered<CudaBodies>().pack, table == BlockTable::kSigned,
                     wide, n, codes, scales, device.stream());
  }
  const BlockLookup& lookup = LookupOf(table);
  SpreadBlocks(device, n, [&](int64_t block, int64_t first, int64_t count) {
    scales[block] = PackBlockOnCpu(lookup, wide + first, count, codes + first);
  });
  return absl::OkStatus();
}

absl::Status UnpackBlocks(const Device& device, BlockTable table, const uint8_t* codes,
                          const float* scales, int64_t n, float* wide) {
  if (absl::Status status = Check(n); !status.ok()) return status;
  if (n == 0) return absl::OkStatus();
  if (device.is_cuda()) {
    return RunOnCuda("unpacking blocks", Registered<CudaBodies>().unpack,
                     table == BlockTable::kSigned, codes, scales, n, wide, device.stream());
  }
  const BlockLookup& lookup = LookupOf(table);
  SpreadBlocks(device, n, [&](int64_t block, int64_t first, int64_t count) {
    UnpackBlockOnCpu(lookup, codes + first, scales[block], count, wide + first);
  });
  return absl::OkStatus();
}

}  // namespace mantissa::kernels
