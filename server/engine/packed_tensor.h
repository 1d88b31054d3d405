// A tensor in the bytes of its format, and the tiles in which it is read and written: what a
// training step keeps between two operators.
//
//   PackedTensor y = PackedTensor::Empty({128, 64, 32, 32}, kernels::kLowForward,
//                                        Storage::kPacked, device);
//   rounder.Store(site, {.axis = TileAxis::kBatch, .extent = 128, .begin = 0, .end = 32}, wide, y);
//   at::Tensor part = y.Unpack(tile, at::kFloat);   // [32, 64, 32, 32]
//
// Elements are stored in logical order. A handle: copies show the same memory. Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_PACKED_TENSOR_H_
#define MANTISSA_SERVER_ENGINE_PACKED_TENSOR_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "kernels/formats/format.h"
#include "kernels/packed/pack.h"
#include "planner/graph/gradient.h"
#include "server/engine/options.h"

namespace mantissa::engine {

// A part of a tensor along one axis; `extent` is the whole tensor's size along it.
struct Tile {
  planner::TileAxis axis = planner::TileAxis::kNone;
  int64_t extent = 1;
  int64_t begin = 0, end = 1;

  int64_t size() const { return end - begin; }
  bool first() const { return begin == 0; }
  bool last() const { return end == extent; }
  // All of the tensor, whatever the axis: in the tensor's own shape.
  bool whole() const { return first() && last(); }
};

// Sizes of the tile of a tensor of those sizes. A flat tile that is not whole has one dimension.
std::vector<int64_t> TileSizes(at::IntArrayRef sizes, const Tile& tile);
// Where the tile's elements are. REQUIRES: the tensor has the tile's axis.
kernels::Piece PieceOf(at::IntArrayRef sizes, const Tile& tile);
// A view of the tile. REQUIRES: `tensor` is contiguous.
at::Tensor ViewOfTile(const at::Tensor& tensor, const Tile& tile);

// The wide type whose values are those of the format; at::kByte where there is none.
at::ScalarType NativeType(const kernels::Format& format);
// REQUIRES: float32, bfloat16 or float16.
kernels::Element ElementOf(at::ScalarType type);

class PackedTensor {
 public:
  PackedTensor() = default;
  // Not initialised.
  static PackedTensor Empty(at::IntArrayRef sizes, const kernels::Format& format, Storage storage,
                            at::Device device);
  // The values themselves, as an operator made them: contiguous, sharing memory with `values` if
  // that has no other.
  static PackedTensor AsComputed(const at::Tensor& values);
  // Another shape of the same elements. REQUIRES: `codes` is contiguous and of this one's type.
  PackedTensor WithCodes(at::Tensor codes) const;

  bool defined() const { return codes_.defined(); }
  // Whether the elements are numbers of codes()'s type, and not codes of format().
  bool plain() const { return plain_; }
  const at::Tensor& codes() const { return codes_; }
  const kernels::Format& format() const { return format_; }
  at::IntArrayRef sizes() const { return codes_.sizes(); }

  // The values of a tile, contiguous. Shows this tensor's memory where it is plain, of that type,
  // and the tile lies in one run.
  at::Tensor Unpack(const Tile& tile, at::ScalarType type) const;
  // wide += the values of the tile, in wide's type. REQUIRES: `wide` is contiguous.
  void AddTo(const Tile& tile, const at::Tensor& wide) const;

 private:
  at::Tensor codes_;
  kernels::Format format_;
  bool plain_ = true;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_PACKED_TENSOR_H_
