// The CPU bodies of Round(), Pack() and Unpack(), vectorised with Highway for the best instruction
// set of this machine.
#ifndef MANTISSA_KERNELS_PACKED_PACK_CPU_H_
#define MANTISSA_KERNELS_PACKED_PACK_CPU_H_

#include <cstdint>

#include "kernels/packed/pack_core.h"
#include "kernels/packed/piece.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// Packs elements [begin, end) of the piece's wide side `wide` on the calling thread and adds to
// *counts. `codes` is the whole packed tensor. It may be `wide` itself where codes and elements are
// of one size and the piece is dense.
void PackOnCpu(Rounding rounding, const PackParams& params, const Piece& piece, const void* wide,
               void* codes, int64_t begin, int64_t end, RoundCounts* counts);

// The way back, into elements [begin, end) of `wide`.
void UnpackOnCpu(const UnpackParams& params, const Piece& piece, const void* codes, void* wide,
                 int64_t begin, int64_t end);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_PACK_CPU_H_
