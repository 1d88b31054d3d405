#include "server/engine/packed_tensor.h"

#include <utility>

#include "ATen/ops/empty.h"
#include "base/status.h"
#include "server/engine/device.h"

namespace mantissa::engine {

using planner::TileAxis;

namespace {

int64_t Product(at::IntArrayRef sizes, size_t from) {
  int64_t product = 1;
  for (size_t i = from; i < sizes.size(); ++i) product *= sizes[i];
  return product;
}

// The type that holds a code of the format.
at::ScalarType CodeType(const kernels::Format& format) {
  if (NativeType(format) != at::kByte) return NativeType(format);
  return format.bytes() == 1 ? at::kByte : at::kShort;
}

}  // namespace

std::vector<int64_t> TileSizes(at::IntArrayRef sizes, const Tile& tile) {
  std::vector<int64_t> result = sizes.vec();
  if (tile.whole()) return result;
  switch (tile.axis) {
    case TileAxis::kNone:
      break;
    case TileAxis::kBatch:
      result[0] = result[0] / tile.extent * tile.size();
      break;
    case TileAxis::kChannel:
      result[1] = tile.size();
      break;
    case TileAxis::kFlat:
      result = {tile.size()};
      break;
  }
  return result;
}

kernels::Piece PieceOf(at::IntArrayRef sizes, const Tile& tile) {
  if (tile.whole() || tile.axis == TileAxis::kNone) {
    return kernels::Piece::Whole(Product(sizes, 0));
  }
  if (tile.axis == TileAxis::kChannel) {
    const int64_t inner = Product(sizes, 2);
    return {.first = tile.begin * inner,
            .rows = sizes[0],
            .length = tile.size() * inner,
            .stride = sizes[1] * inner};
  }
  const int64_t unit = Product(sizes, 0) / tile.extent;
  return {.first = tile.begin * unit, .length = tile.size() * unit};
}

at::Tensor ViewOfTile(const at::Tensor& tensor, const Tile& tile) {
  if (tile.whole()) return tensor;
  switch (tile.axis) {
    case TileAxis::kNone:
      return tensor;
    case TileAxis::kBatch: {
      const int64_t unit = tensor.size(0) / tile.extent;
      return tensor.narrow(0, tile.begin * unit, tile.size() * unit);
    }
    case TileAxis::kChannel:
      return tensor.narrow(1, tile.begin, tile.size());
    case TileAxis::kFlat:
      return tensor.view({-1}).narrow(0, tile.begin, tile.size());
  }
  return tensor;
}

at::ScalarType NativeType(const kernels::Format& format) {
  if (format == kernels::kFp32) return at::kFloat;
  if (format == kernels::kBf16) return at::kBFloat16;
  if (format == kernels::kFp16) return at::kHalf;
  return at::kByte;
}

kernels::Element ElementOf(at::ScalarType type) {
  if (type == at::kBFloat16) return kernels::Element::kBFloat16;
  if (type == at::kHalf) return kernels::Element::kFloat16;
  MANTISSA_CHECK(type == at::kFloat, "no wide type");
  return kernels::Element::kFloat32;
}

PackedTensor PackedTensor::Empty(at::IntArrayRef sizes, const kernels::Format& format,
                                 Storage storage, at::Device device) {
  PackedTensor tensor;
  tensor.format_ = format;
  // A format that LibTorch computes with is stored alike in both ways.
  tensor.plain_ = storage == Storage::kEmulated || NativeType(format) != at::kByte;
  const at::ScalarType type = storage == Storage::kEmulated && NativeType(format) == at::kByte
                                  ? at::kFloat
                                  : CodeType(format);
  tensor.codes_ = at::empty(sizes, at::TensorOptions(type).device(device));
  return tensor;
}

PackedTensor PackedTensor::AsComputed(const at::Tensor& values) {
  PackedTensor tensor;
  tensor.codes_ = values.contiguous();
  // A slice would keep all of what it was cut from.
  if (tensor.codes_.storage().nbytes() > tensor.codes_.nbytes()) {
    tensor.codes_ = tensor.codes_.clone();
  }
  if (values.scalar_type() == at::kBFloat16) tensor.format_ = kernels::kBf16;
  if (values.scalar_type() == at::kHalf) tensor.format_ = kernels::kFp16;
  return tensor;
}

PackedTensor PackedTensor::WithCodes(at::Tensor codes) const {
  PackedTensor tensor = *this;
  tensor.codes_ = std::move(codes);
  return tensor;
}

at::Tensor PackedTensor::Unpack(const Tile& tile, at::ScalarType type) const {
  if (plain_) return ViewOfTile(codes_, tile).to(type).contiguous();
  const at::Tensor wide = at::empty(TileSizes(sizes(), tile), codes_.options().dtype(type));
  MANTISSA_CHECK_OK(kernels::Unpack(KernelDeviceOf(codes_), format_, PieceOf(sizes(), tile),
                                    ElementOf(type), codes_.const_data_ptr(),
                                    wide.mutable_data_ptr(), kernels::Write::kReplace));
  return wide;
}

void PackedTensor::AddTo(const Tile& tile, const at::Tensor& wide) const {
  if (plain_) {
    wide.add_(ViewOfTile(codes_, tile));
    return;
  }
  MANTISSA_CHECK_OK(kernels::Unpack(KernelDeviceOf(codes_), format_, PieceOf(sizes(), tile),
                                    ElementOf(wide.scalar_type()), codes_.const_data_ptr(),
                                    wide.mutable_data_ptr(), kernels::Write::kAdd));
}

}  // namespace mantissa::engine
