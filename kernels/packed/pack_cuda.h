// How the CUDA bodies of Round(), Pack() and Unpack() reach them: pack.cu registers them at program
// start.
#ifndef MANTISSA_KERNELS_PACKED_PACK_CUDA_H_
#define MANTISSA_KERNELS_PACKED_PACK_CUDA_H_

#include "kernels/packed/pack_core.h"
#include "kernels/packed/piece.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// Enqueue the work on `stream`, a cudaStream_t. All other pointers but the parameters' are device
// pointers. Null, or what went wrong, as a text that lives forever.
using PackOnCuda = const char*(Rounding rounding, const PackParams* params, const Piece* piece,
                               const void* wide, void* codes, RoundCounts* counts, void* stream);
using UnpackOnCuda = const char*(const UnpackParams* params, const Piece* piece, const void* codes,
                                 void* wide, void* stream);

// Makes these the CUDA bodies. Returns true, so that a static can call it.
bool RegisterPackOnCuda(PackOnCuda* pack, UnpackOnCuda* unpack);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_PACK_CUDA_H_
