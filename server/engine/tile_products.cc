// Convolutions and linear layers.

#include <array>
#include <tuple>
#include <utility>

#include "ATen/ops/convolution_backward.h"
#include "ATen/ops/mm.h"
#include "ATen/ops/sum.h"
#include "server/engine/tile_operators.h"

namespace mantissa::engine {
namespace {

// Where input, weight and bias are among the tensor arguments; -1 where there is none.
struct ProductInputs {
  explicit ProductInputs(const OperatorCall& call)
      : input(call.TensorIndex("input")),
        weight(call.TensorIndex("weight")),
        bias(call.TensorIndex("bias")) {}
  int input, weight, bias;
};

bool Wanted(TileInputs& inputs, int index) { return index >= 0 && inputs.Wanted(index); }

class Convolution : public TileOperator {
 public:
  explicit Convolution(const OperatorCall& call)
      : TileOperator(call),
        at_(call),
        stride_(call.Argument("stride").toIntVector()),
        padding_(call.Argument("padding").toIntVector()),
        dilation_(call.Argument("dilation").toIntVector()),
        groups_(call.Argument("groups").toInt()) {}

  void Backward(const TileContext&, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    const at::Tensor gradient = inputs.ReadGradient(0);
    // One after the other, so that input and weight are not wide at the same time, nor both
    // results.
    if (Wanted(inputs, at_.input)) {
      const at::Tensor weight = inputs.Read(at_.weight);
      const at::Tensor shape =
          inputs.ShapeOf(at_.input, gradient.numel() > weight.numel() ? gradient : weight);
      give(at_.input, std::get<0>(Gradients(gradient, shape, weight, {true, false, false})));
      inputs.Forget(at_.weight);
    }
    const bool weight = Wanted(inputs, at_.weight), bias = Wanted(inputs, at_.bias);
    if (weight || bias) {
      auto [none, dw, db] =
          Gradients(gradient, weight ? inputs.Read(at_.input) : inputs.ShapeOf(at_.input, gradient),
                    inputs.ShapeOf(at_.weight, gradient), {false, weight, bias});
      give(at_.weight, std::move(dw));
      if (at_.bias >= 0) give(at_.bias, std::move(db));
    }
  }

 private:
  std::tuple<at::Tensor, at::Tensor, at::Tensor> Gradients(const at::Tensor& gradient,
                                                           const at::Tensor& input,
                                                           const at::Tensor& weight,
                                                           std::array<bool, 3> wanted) const {
    return at::convolution_backward(
        gradient, input, weight, at::OptionalIntArrayRef({weight.size(0)}), stride_, padding_,
        dilation_, /*transposed=*/false, /*output_padding=*/{0, 0}, groups_, wanted);
  }

  const ProductInputs at_;
  const std::vector<int64_t> stride_, padding_, dilation_;
  const int64_t groups_;
};

class Linear : public TileOperator {
 public:
  explicit Linear(const OperatorCall& call) : TileOperator(call), at_(call) {}

  void Backward(const TileContext&, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    at::Tensor gradient = inputs.ReadGradient(0);
    gradient = gradient.view({-1, gradient.size(-1)});
    if (Wanted(inputs, at_.bias)) give(at_.bias, gradient.sum(0));
    if (Wanted(inputs, at_.weight)) {
      const at::Tensor input = inputs.Read(at_.input);
      give(at_.weight, gradient.t().mm(input.view({-1, input.size(-1)})));
    }
    if (Wanted(inputs, at_.input)) {
      give(at_.input, gradient.mm(inputs.Read(at_.weight)).view(inputs.Sizes(at_.input)));
    }
  }

 private:
  const ProductInputs at_;
};

}  // namespace

TileOperatorPtr MakeConvolution(const OperatorCall& call) {
  return std::make_unique<Convolution>(call);
}
TileOperatorPtr MakeLinear(const OperatorCall& call) { return std::make_unique<Linear>(call); }

}  // namespace mantissa::engine
