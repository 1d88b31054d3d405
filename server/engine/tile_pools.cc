// Pooling over windows of images.

#include <utility>

#include "ATen/ops/arange.h"
#include "ATen/ops/avg_pool2d_backward.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/max_pool2d_with_indices.h"
#include "ATen/ops/max_pool2d_with_indices_backward.h"
#include "server/engine/tile_operators.h"

namespace mantissa::engine {
namespace {

std::vector<int64_t> Pair(const c10::IValue& value) {
  std::vector<int64_t> pair = value.toIntVector();
  if (pair.size() == 1) pair.push_back(pair[0]);
  return pair;
}

struct Windows {
  explicit Windows(const OperatorCall& call)
      : kernel(Pair(call.Argument("kernel_size"))),
        stride(Pair(call.Argument("stride"))),
        padding(Pair(call.Argument("padding"))),
        ceil_mode(call.Argument("ceil_mode").toBool()) {
    if (stride.empty()) stride = kernel;
  }
  std::vector<int64_t> kernel, stride, padding;
  bool ceil_mode;
};

// Stands for an input of which only the shape matters.
at::Tensor ShapeOnly(const at::Tensor& like, const std::vector<int64_t>& sizes) {
  return like.new_zeros({1}).expand(sizes);
}

// LibTorch tells where a maximum is by its place in the plane, in 8 bytes; its place in the window
// fits a byte. Ties go to the first in row-major order.
class MaxPool : public TileOperator {
 public:
  explicit MaxPool(const OperatorCall& call)
      : TileOperator(call), windows_(call), dilation_(Pair(call.Argument("dilation"))) {}

  std::vector<at::Tensor> Forward(const TileContext& context, TileInputs& inputs,
                                  Kept& kept) const override {
    const int64_t width = inputs.Sizes(0).back();
    auto [y, places] = at::max_pool2d_with_indices(inputs.Read(0), windows_.kernel, windows_.stride,
                                                   windows_.padding, dilation_, windows_.ceil_mode);
    if (!context.keep) return {y};
    if (context.tile.first()) {
      std::vector<int64_t> sizes = places.sizes().vec();
      if (!context.tile.whole()) sizes[0] = context.tile.extent;
      kept = {at::empty(sizes, places.options().dtype(at::kByte))};
    }
    at::Tensor rows = places.div(width, "floor");
    places.sub_(rows.mul(width)).sub_(Corners(places, 1)).div_(dilation_[1], "floor");
    rows.sub_(Corners(places, 0)).div_(dilation_[0], "floor").mul_(windows_.kernel[1]).add_(places);
    ViewOfTile(kept[0], context.tile).copy_(rows);
    return {y};
  }

  std::vector<at::Tensor> Backward(const TileContext& context, TileInputs& inputs,
                                   const Kept& kept) const override {
    const at::Tensor gradient = inputs.ReadGradient(0);
    const std::vector<int64_t> sizes = inputs.Sizes(0);
    at::Tensor places = ViewOfTile(kept[0], context.tile).to(at::kLong);
    at::Tensor rows = places.div(windows_.kernel[1], "floor");
    places.sub_(rows.mul(windows_.kernel[1])).mul_(dilation_[1]).add_(Corners(places, 1));
    rows.mul_(dilation_[0]).add_(Corners(places, 0)).mul_(sizes.back());
    places.add_(rows);
    rows.reset();
    return {at::max_pool2d_with_indices_backward(gradient, ShapeOnly(gradient, sizes),
                                                 windows_.kernel, windows_.stride, windows_.padding,
                                                 dilation_, windows_.ceil_mode, places)};
  }

 private:
  // Of each window the row (dimension 0) or column (1) of its first element, for broadcasting over
  // the tensor of places [N, C, rows, columns].
  at::Tensor Corners(const at::Tensor& places, int dimension) const {
    const at::Tensor corners = at::arange(places.size(2 + dimension), places.options())
                                   .mul_(windows_.stride[dimension])
                                   .sub_(windows_.padding[dimension]);
    return dimension == 0 ? corners.view({-1, 1}) : corners;
  }

  const Windows windows_;
  const std::vector<int64_t> dilation_;
};

class AveragePool : public TileOperator {
 public:
  explicit AveragePool(const OperatorCall& call)
      : TileOperator(call),
        windows_(call),
        count_padding_(call.Argument("count_include_pad").toBool()),
        divisor_(call.Argument("divisor_override").toOptional<int64_t>()) {}

  std::vector<at::Tensor> Backward(const TileContext&, TileInputs& inputs,
                                   const Kept&) const override {
    const at::Tensor gradient = inputs.ReadGradient(0);
    return {at::avg_pool2d_backward(gradient, ShapeOnly(gradient, inputs.Sizes(0)), windows_.kernel,
                                    windows_.stride, windows_.padding, windows_.ceil_mode,
                                    count_padding_, divisor_)};
  }

 private:
  const Windows windows_;
  const bool count_padding_;
  const std::optional<int64_t> divisor_;
};

}  // namespace

TileOperatorPtr MakeMaxPool(const OperatorCall& call) { return std::make_unique<MaxPool>(call); }
TileOperatorPtr MakeAveragePool(const OperatorCall& call) {
  return std::make_unique<AveragePool>(call);
}

}  // namespace mantissa::engine
