// What Round(), Pack() and Unpack() have in common: the choice between the bodies of the CPU, on
// the device's threads, and of CUDA.
#ifndef MANTISSA_KERNELS_PACKED_DISPATCH_H_
#define MANTISSA_KERNELS_PACKED_DISPATCH_H_

#include "absl/status/status.h"
#include "kernels/packed/pack_core.h"
#include "kernels/packed/piece.h"
#include "kernels/packed/round.h"
#include "kernels/packed/round_core.h"

namespace mantissa::kernels {

// As Pack() and Unpack() say, with checked arguments.
absl::Status RunPack(const Device& device, Rounding rounding, const PackParams& params,
                     const Piece& piece, const void* wide, void* codes, RoundCounts* counts);
absl::Status RunUnpack(const Device& device, const UnpackParams& params, const Piece& piece,
                       const void* codes, void* wide);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_DISPATCH_H_
