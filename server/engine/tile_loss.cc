// Log-softmax and the negative log-likelihood.

#include "ATen/ops/_log_softmax_backward_data.h"
#include "ATen/ops/nll_loss_backward.h"
#include "server/engine/tile_operators.h"

namespace mantissa::engine {
namespace {

// The gradient, gy - exp(y) * sum(gy), takes the rounded y.
class LogSoftmax : public TileOperator {
 public:
  explicit LogSoftmax(const OperatorCall& call)
      : TileOperator(call), dim_(call.Argument("dim").toInt()) {}

  void Backward(const TileContext&, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    give(0, at::_log_softmax_backward_data(inputs.ReadGradient(0), inputs.ReadOutput(), dim_,
                                           inputs.Type(0)));
  }

 private:
  const int64_t dim_;
};

// Mean over the batch; with label smoothing s, (1 - s) * loss - s * mean(log p).
class NllLoss : public TileOperator {
 public:
  explicit NllLoss(const OperatorCall& call)
      : TileOperator(call),
        smoothed_(call.handle().schema().name() != "aten::nll_loss"),
        ignored_label_(call.Argument("ignore_index").toInt()) {
    if (smoothed_) smoothing_ = call.Argument("smoothing").toDouble();
  }

  void Backward(const TileContext&, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    const at::Tensor gradient = inputs.ReadGradient(0);
    const at::Tensor labels = inputs.Read(1);
    const at::Tensor shape = inputs.ShapeOf(0, gradient);
    const at::Tensor counted = labels.ne(ignored_label_);
    const at::Tensor count = counted.sum().to(gradient.scalar_type());
    at::Tensor result =
        at::nll_loss_backward(gradient.mul(1 - smoothing_), shape, labels, /*weight=*/{},
                              at::Reduction::Mean, ignored_label_, count);
    if (smoothed_) {
      const at::Tensor share = gradient.mul(smoothing_).div(count * result.size(1));
      result.sub_(counted.unsqueeze(1).mul(share));
    }
    give(0, std::move(result));
  }

 private:
  const bool smoothed_;
  const int64_t ignored_label_;
  double smoothing_ = 0;
};

}  // namespace

TileOperatorPtr MakeLogSoftmax(const OperatorCall& call) {
  return std::make_unique<LogSoftmax>(call);
}
TileOperatorPtr MakeNllLoss(const OperatorCall& call) { return std::make_unique<NllLoss>(call); }

}  // namespace mantissa::engine
