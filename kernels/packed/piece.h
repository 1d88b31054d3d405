// A part of a packed tensor, as kernels/packed/pack.h takes it. Free of any dependency, since nvcc
// compiles it too.
#ifndef MANTISSA_KERNELS_PACKED_PIECE_H_
#define MANTISSA_KERNELS_PACKED_PIECE_H_

#include <cstdint>

namespace mantissa::kernels {

// `rows` runs of `length` elements, their starts `stride` elements apart. The wide side of a piece
// is dense: rows * length elements one after the other.
//
//   images 32 to 63 of [N, C, H, W]:   {.first = 32*C*H*W, .rows = 1, .length = 32*C*H*W}
//   channels 8 to 15 of [N, C, H, W]:  {.first = 8*H*W, .rows = N, .length = 8*H*W, .stride =
//   C*H*W}
struct Piece {
  int64_t first = 0;
  int64_t rows = 1;
  int64_t length = 0;
  int64_t stride = 0;  // any if rows is 1

  static Piece Whole(int64_t n) { return {.length = n, .stride = n}; }
  int64_t elements() const { return rows * length; }
};

}  // namespace mantissa::kernels

#endif  // MANTISSA_KERNELS_PACKED_PIECE_H_
