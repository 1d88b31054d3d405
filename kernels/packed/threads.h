// How a CPU body is spread over the threads of a Device.
#ifndef MANTISSA_KERNELS_PACKED_THREADS_H_
#define MANTISSA_KERNELS_PACKED_THREADS_H_

#include <atomic>
#include <cstdint>

#include "kernels/packed/round.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// Elements a thread takes at least: 128 KiB of float32, some 20 microseconds, well above a wake-up.
inline constexpr int64_t kGrain = 32768;

// Runs body(begin, end) over [0, n), on the calling thread if that is less than two grains.
template <typename Body>
void Spread(const Device& device, int64_t n, int64_t grain, const Body& body) {
  if (device.parallel() == nullptr || n < 2 * grain) {
    if (n > 0) body(int64_t{0}, n);
  } else {
    (*device.parallel())(n, grain, body);
  }
}

// The same with a body(begin, end, RoundCounts*), whose counts are added to *counts.
template <typename Body>
void SpreadAndCount(const Device& device, int64_t n, int64_t grain, RoundCounts* counts,
                    const Body& body) {
  std::atomic<int64_t> overflow = 0, underflow = 0, nonfinite = 0;
  Spread(device, n, grain, [&](int64_t begin, int64_t end) {
    RoundCounts found;
    body(begin, end, &found);
    overflow += found.overflow;
    underflow += found.underflow;
    nonfinite += found.nonfinite;
  });
  counts->overflow += overflow;
  counts->underflow += underflow;
  counts->nonfinite += nonfinite;
}

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_THREADS_H_
