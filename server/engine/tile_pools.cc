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

// LibTorch tells where a maximum is by its place in the plane, in 8 bytes; its place in the window
// fits a byte. Ties go to the first in row-major order.
class MaxPool : public TileOperator {
 public:
  explicit MaxPool(const OperatorCall& call)
      : TileOperator(call), windows_(call), dilation_(Pair(call.Argument("dilation"))) {}

  std::vector<at::Tensor> Forward(const TileContext& context, TileInputs& inputs,
                                  Kept& kept) const override {
    const std::vector<int64_t> sizes = inputs.Sizes(0);
    auto [y, places] = at::max_pool2d_with_indices(inputs.Read(0), windows_.kernel, windows_.stride,
                                                   windows_.padding, dilation_, windows_.ceil_mode);
    if (!context.keep) return {y};
    if (context.tile.first()) {
      std::vector<int64_t> whole = places.sizes().vec();
      if (!context.tile.whole()) whole[0] = context.tile.extent;
      kept = {at::empty(whole, places.options().dtype(at::kByte))};
    }
    at::Tensor columns = places.to(NumberType(sizes));
    places.reset();
    at::Tensor rows = columns.div(sizes.back()).floor_();
    columns.sub_(rows, sizes.back()).sub_(Corners(columns, 1)).div_(dilation_[1]);
    rows.sub_(Corners(columns, 0)).div_(dilation_[0]).mul_(windows_.kernel[1]).add_(columns);
    ViewOfTile(kept[0], context.tile).copy_(rows);
    return {y};
  }

  void Backward(const TileContext& context, TileInputs& inputs, const Kept& kept,
                const GiveGradient& give) const override {
    const std::vector<int64_t> sizes = inputs.Sizes(0);
    at::Tensor columns = ViewOfTile(kept[0], context.tile).to(NumberType(sizes));
    at::Tensor rows = columns.div(windows_.kernel[1]).floor_();
    columns.sub_(rows, windows_.kernel[1]).mul_(dilation_[1]).add_(Corners(columns, 1));
    rows.mul_(dilation_[0]).add_(Corners(columns, 0)).mul_(sizes.back()).add_(columns);
    columns.reset();
    const at::Tensor places = rows.to(at::kLong);
    rows.reset();
    const at::Tensor gradient = inputs.ReadGradient(0);
    give(0, at::max_pool2d_with_indices_backward(gradient, inputs.ShapeOf(0, gradient),
                                                 windows_.kernel, windows_.stride, windows_.padding,
                                                 dilation_, windows_.ceil_mode, places));
  }

 private:
  // In which places are computed: exact, also divided and cut to whole numbers, and a few times
  // faster than integers, which LibTorch divides one by one.
  static at::ScalarType NumberType(const std::vector<int64_t>& sizes) {
    return sizes[2] * sizes[3] < (int64_t{1} << 23) ? at::kFloat : at::kDouble;
  }

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

  void Backward(const TileContext&, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    const at::Tensor gradient = inputs.ReadGradient(0);
    give(0, at::avg_pool2d_backward(gradient, inputs.ShapeOf(0, gradient), windows_.kernel,
                                    windows_.stride, windows_.padding, windows_.ceil_mode,
                                    count_padding_, divisor_));
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
