// Rounding of float32 tensors to the values of a Format, with the counts that promotion and loss
// scaling need, in one pass over memory. Example:
//
//   RoundCounts counts;
//   RoundSpec spec = {.format = kLowForward, .overflow = Overflow::kSaturate};
//   RETURN_IF_ERROR(Round(Device::Cpu(&pool), spec, x, absl::MakeSpan(x), &counts));
//   bool promote = counts.overflow >= 0.01f * x.size();
//
// The result stays in float32 containers. Every device gives the same bits and counts, however the
// work is split among threads and vector lanes.
//
// What holds in every mode: a magnitude of at least format.overflow_threshold() (infinity included)
// becomes the largest value or infinity, as `overflow` says, and a smaller one never exceeds the
// largest value; subnormals are kept; NaN stays NaN (its payload may change); the sign is kept,
// that of zeros too. fp32 changes nothing and still counts.
//
// Needs float32 subnormals: a thread that flushes them to zero gets other results for formats with
// 8 exponent bits.
#ifndef MANTISSA_KERNELS_PACKED_ROUND_H_
#define MANTISSA_KERNELS_PACKED_ROUND_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/formats/format.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// Runs body(begin, end) over disjoint ranges that cover [0, n), each of about `grain` or more
// elements, possibly at the same time on several threads; returns when all are done.
using ParallelFor = std::function<void(
    int64_t n, int64_t grain, const std::function<void(int64_t begin, int64_t end)>& body)>;

// Where a kernel runs, and so where its pointers point.
class Device {
 public:
  // Host memory. `parallel` is not owned and must outlive the calls; null: the calling thread only.
  static Device Cpu(const ParallelFor* parallel = nullptr) {
    return Device(false, parallel, nullptr);
  }
  // Device memory of the current CUDA device. `stream` is a cudaStream_t; null: the default stream.
  static Device Cuda(void* stream) { return Device(true, nullptr, stream); }

  bool is_cuda() const { return is_cuda_; }
  const ParallelFor* parallel() const { return parallel_; }
  void* stream() const { return stream_; }

 private:
  Device(bool is_cuda, const ParallelFor* parallel, void* stream)
      : is_cuda_(is_cuda), parallel_(parallel), stream_(stream) {}

  bool is_cuda_;
  const ParallelFor* parallel_;
  void* stream_;
};

struct RoundSpec {
  Format format = kFp32;
  Rounding rounding = Rounding::kNearestEven;
  Overflow overflow = Overflow::kSaturate;
  // Stochastic only. Element i takes the random word `offset + i` of the stream of `seed`: the same
  // seed and offset give the same result, and a tensor may be rounded piece by piece.
  uint64_t seed = 0;
  uint64_t offset = 0;
};

// Rounds in[i] into out[i] and adds to *counts.
// REQUIRES: `out` is `in` itself or does not overlap it. On CUDA, `counts` is in device memory too,
// the work is enqueued on the device's stream and nothing waits for it.
// InvalidArgument: sizes differ, or a format out of Format's ranges. FailedPrecondition: CUDA asked
// for in a program without //kernels/packed:cuda. Internal: the launch failed.
absl::Status Round(const Device& device, const RoundSpec& spec, absl::Span<const float> in,
                   absl::Span<float> out, RoundCounts* counts);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_ROUND_H_
