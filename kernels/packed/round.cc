#include "kernels/packed/round.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "kernels/formats/format.h"
#include "kernels/packed/cuda_body.h"
#include "kernels/packed/params.h"
#include "kernels/packed/round_core.h"
#include "kernels/packed/round_cpu.h"
#include "kernels/packed/round_cuda.h"
#include "kernels/packed/threads.h"

namespace mantissa::kernels {
namespace {

RoundOnCuda*& CudaBody() {
  static RoundOnCuda* body = nullptr;
  return body;
}

}  // namespace

bool RegisterRoundOnCuda(RoundOnCuda* body) {
  CudaBody() = body;
  return true;
}

absl::Status Round(const Device& device, const RoundSpec& spec, absl::Span<const float> in,
                   absl::Span<float> out, RoundCounts* counts) {
  if (in.size() != out.size()) {
    return absl::InvalidArgumentError(absl::StrCat("out has ", out.size(), " elements and in has ",
                                                   in.size(), "; they must be equal."));
  }
  if (absl::Status status = CheckFormat(spec.format); !status.ok()) return status;
  if (in.empty()) return absl::OkStatus();
  const RoundParams params = RoundParamsOf(spec);
  const Rounding rounding = RoundingOf(spec);
  const int64_t n = static_cast<int64_t>(in.size());
  if (device.is_cuda()) {
    return RunOnCuda("rounding", "//kernels/packed:round_cuda", CudaBody(), rounding, &params,
                     in.data(), out.data(), n, counts, device.stream());
  }
  SpreadAndCount(device, n, kGrain, counts, [&](int64_t begin, int64_t end, RoundCounts* found) {
    RoundParams part = params;
    part.offset += static_cast<uint64_t>(begin);
    RoundOnCpu(rounding, part, in.data() + begin, out.data() + begin, end - begin, found);
  });
  return absl::OkStatus();
}

}  // namespace mantissa::kernels
