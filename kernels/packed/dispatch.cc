#include "kernels/packed/dispatch.h"

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/packed/cuda_body.h"
#include "kernels/packed/pack_cpu.h"
#include "kernels/packed/pack_cuda.h"
#include "kernels/packed/threads.h"

namespace mantissa::kernels {
namespace {

struct CudaBodies {
  PackOnCuda* pack = nullptr;
  UnpackOnCuda* unpack = nullptr;
};

}  // namespace

bool RegisterPackOnCuda(PackOnCuda* pack, UnpackOnCuda* unpack) {
  Registered<CudaBodies>() = {pack, unpack};
  return true;
}

absl::Status RunPack(const Device& device, Rounding rounding, const PackParams& params,
                     const Piece& piece, const void* wide, void* codes, RoundCounts* counts) {
  if (piece.elements() == 0) return absl::OkStatus();
  if (device.is_cuda()) {
    return RunOnCuda("rounding", Registered<CudaBodies>().pack, rounding, &params, &piece, wide,
                     codes, counts, device.stream());
  }
  SpreadAndCount(device, piece.elements(), kGrain, counts,
                 [&](int64_t begin, int64_t end, RoundCounts* found) {
                   PackOnCpu(rounding, params, piece, wide, codes, begin, end, found);
                 });
  return absl::OkStatus();
}

absl::Status RunUnpack(const Device& device, const UnpackParams& params, const Piece& piece,
                       const void* codes, void* wide) {
  if (piece.elements() == 0) return absl::OkStatus();
  if (device.is_cuda()) {
    return RunOnCuda("unpacking", Registered<CudaBodies>().unpack, &params, &piece, codes, wide,
                     device.stream());
  }
  Spread(device, piece.elements(), kGrain,
         [&](int64_t begin, int64_t end) { UnpackOnCpu(params, piece, codes, wide, begin, end); });
  return absl::OkStatus();
}

}  // namespace mantissa::kernels
