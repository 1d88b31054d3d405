// The CPU body of Round(), vectorised with Highway for the best instruction set of this machine.
#ifndef MANTISSA_KERNELS_PACKED_ROUND_CPU_H_
#define MANTISSA_KERNELS_PACKED_ROUND_CPU_H_

#include <cstdint>

#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// Rounds in[0, n) into out[0, n) on the calling thread and adds to *counts. Element i takes the
// random word params.offset + i. REQUIRES: `out` is `in` or does not overlap it.
void RoundOnCpu(Rounding rounding, const RoundParams& params, const float* in, float* out,
                int64_t n, RoundCounts* counts);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_ROUND_CPU_H_
