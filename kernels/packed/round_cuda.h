// How the CUDA body of Round() reaches it: round.cu registers it at program start.
#ifndef MANTISSA_KERNELS_PACKED_ROUND_CUDA_H_
#define MANTISSA_KERNELS_PACKED_ROUND_CUDA_H_

#include <cstdint>

#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// Enqueues the rounding of in[0, n) into out[0, n) on `stream`, a cudaStream_t; *counts is added
// to. All pointers but `params` are device pointers. Null, or what went wrong, as a text that lives
// forever.
using RoundOnCuda = const char*(Rounding rounding, const RoundParams* params, const float* in,
                                float* out, int64_t n, RoundCounts* counts, void* stream);

// Makes `body` the CUDA body. Returns true, so that a static can call it.
bool RegisterRoundOnCuda(RoundOnCuda* body);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_ROUND_CUDA_H_
