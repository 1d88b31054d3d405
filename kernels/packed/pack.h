// Tensors in the bytes of their format: rounding, packing to codes and counting in one pass over
// memory, and the way back. Example:
//
//   std::vector<uint8_t> codes(n * kLowForward.bytes());
//   RoundCounts counts;
//   RETURN_IF_ERROR(Pack(Device::Cpu(&pool), {.format = kLowForward}, Piece::Whole(n),
//                        Element::kFloat32, x, codes.data(), &counts));
//   RETURN_IF_ERROR(Unpack(Device::Cpu(&pool), kLowForward, Piece::Whole(n), Element::kFloat32,
//                          codes.data(), x, Write::kReplace));
//
// Values are those that Round() (round.h) gives for the same RoundSpec, and so are the counts: what
// Unpack() returns is Round()'s result, but for two things that no code is left for in a format
// without reserved exponent: minus zero comes back as plus zero, and infinity as NaN. Both are
// harmless in training: a gradient that is not finite stays so, and the sign of a zero reaches no
// weight.
//
// Codes. A format with reserved top exponent is stored as IEEE does: fp32 in 4 bytes, bf16 and fp16
// in 2. Any other is stored as sign, exponent and mantissa from the format's top bit down, all
// exponents in use, in 1 byte up to 8 bits and in 2 up to 16, little-endian; the code of minus zero
// (0x80, 0x8000 at full width) stands for NaN. So the codes of fp(4,3,4) are those of E4M3 with
// 0x7F for 480/16, and the codes of fp(5,2,0) are those of E5M2 without infinity and NaN
// (Micikevicius et al., "FP8 Formats for Deep Learning", 2022).
#ifndef MANTISSA_KERNELS_PACKED_PACK_H_
#define MANTISSA_KERNELS_PACKED_PACK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/formats/format.h"
#include "kernels/packed/piece.h"
#include "kernels/packed/round.h"

namespace mantissa::kernels {

// Element type of a wide tensor, the side that is computed with.
enum class Element { kFloat32, kBFloat16, kFloat16 };

enum class Write {
  kReplace,
  kAdd,  // wide += value, in the wide type
};

// Rounds the piece's wide elements, writes their codes into the packed tensor at `codes`, and adds
// to *counts. An element's random word (stochastic rounding) depends on its place in the packed
// tensor alone, so that a tensor may be packed piece by piece, in any order. Wide bf16 and fp16
// elements count as the float32 values that they are.
// REQUIRES: wide and codes do not overlap; pieces packed at the same time do not either. On CUDA
// all pointers are to device memory, `counts` too; the work is enqueued on the device's stream,
// nothing waits, and it can be captured in a CUDA graph. InvalidArgument: a format out of Format's
// ranges or of more than 16 bits that is not fp32, or a negative extent. FailedPrecondition: CUDA
// asked for in a program without its kernels. Internal: the launch failed.
absl::Status Pack(const Device& device, const RoundSpec& spec, const Piece& piece, Element element,
                  const void* wide, void* codes, RoundCounts* counts);

// The values of the piece's codes, into the dense `wide`; a value or a sum that its element type
// does not hold is rounded to the nearest, ties to even. Errors as Pack().
absl::Status Unpack(const Device& device, const Format& format, const Piece& piece, Element element,
                    const void* codes, void* wide, Write write);

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_PACK_H_
