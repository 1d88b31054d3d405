#include "kernels/packed/round.h"

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "kernels/formats/format.h"
#include "kernels/packed/round_core.h"
#include "kernels/packed/round_cpu.h"
#include "kernels/packed/round_cuda.h"

namespace mantissa::kernels {
namespace {

// Elements a thread takes at least: 128 KiB, some 20 microseconds, well above a wake-up.
constexpr int64_t kGrain = 32768;

RoundOnCuda& CudaBody() {
  static RoundOnCuda body = nullptr;
  return body;
}

RoundParams ParamsOf(const RoundSpec& spec) {
  const Format& format = spec.format;
  const int m = format.mantissa_bits;
  RoundParams params = {};
  params.max_bits = BitsOf(static_cast<float>(format.max_value()));
  params.overflow_bits = BitsOf(static_cast<float>(format.overflow_threshold()));
  params.overflow_to = spec.overflow == Overflow::kSaturate ? params.max_bits : kInfinityBits;
  params.shift = 23 - m;
  params.half = params.shift == 0 ? 0 : 1u << (params.shift - 1);
  params.keep = ~0u << params.shift;
  if (format.exponent_bits < 8) {
    params.min_normal = static_cast<float>(format.min_normal());
    params.subnormal_limit = BitsOf(params.min_normal);
    params.unit = static_cast<float>(format.min_subnormal());
    params.half_unit = params.unit / 2;
    params.unit_inverse = 1 / params.unit;
    params.magic = params.unit * 0x1p23f;
  }
  params.seed = spec.seed;
  params.offset = spec.offset;
  return params;
}

void RoundOnThreads(const ParallelFor& parallel, Rounding rounding, const RoundParams& params,
                    const float* in, float* out, int64_t n, RoundCounts* counts) {
  std::atomic<int64_t> overflow = 0, underflow = 0, nonfinite = 0;
  parallel(n, kGrain, [&](int64_t begin, int64_t end) {
    RoundParams part = params;
    part.offset += static_cast<uint64_t>(begin);
    RoundCounts found;
    RoundOnCpu(rounding, part, in + begin, out + begin, end - begin, &found);
    overflow += found.overflow;
    underflow += found.underflow;
    nonfinite += found.nonfinite;
  });
  counts->overflow += overflow;
  counts->underflow += underflow;
  counts->nonfinite += nonfinite;
}

}  // namespace

bool RegisterRoundOnCuda(RoundOnCuda body) {
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
  RoundParams params = ParamsOf(spec);
  Rounding rounding = spec.rounding;
  if (spec.format == kFp32) {
    // Nothing is cut off, so the cheapest mode does; an infinity is a value of the format.
    rounding = Rounding::kReference;
    params.overflow_to = kInfinityBits;
  }
  const int64_t n = static_cast<int64_t>(in.size());
  if (device.is_cuda()) {
    if (CudaBody() == nullptr) {
      return absl::FailedPreconditionError(
          "rounding on a CUDA device was asked for, but this program holds no CUDA kernels. Link "
          "//kernels/packed:round_cuda, or use the CPU.");
    }
    const char* error =
        CudaBody()(rounding, params, in.data(), out.data(), n, counts, device.stream());
    if (error == nullptr) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("rounding ", n, " elements on CUDA failed: ", error));
  }
  if (device.parallel() == nullptr || n < 2 * kGrain) {
    RoundOnCpu(rounding, params, in.data(), out.data(), n, counts);
  } else {
    RoundOnThreads(*device.parallel(), rounding, params, in.data(), out.data(), n, counts);
  }
  return absl::OkStatus();
}

}  // namespace mantissa::kernels
