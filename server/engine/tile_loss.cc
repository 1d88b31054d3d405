// Log-softmax and the negative log-likelihood.

#include "ATen/ops/_log_softmax_backward_data.h"
#include "ATen/ops/nll_loss.h"
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

// Mean over the positions, which are rows, whose label is not ignored; with label smoothing s,
// (1 - s) * loss - s * mean(log p). Of the tiles' sums the first is kept until the last.
class NllLoss : public TileOperator {
 public:
  explicit NllLoss(const OperatorCall& call)
      : TileOperator(call),
        smoothed_(call.handle().schema().name() != "aten::nll_loss"),
        ignored_label_(call.Argument("ignore_index").toInt()) {
    if (smoothed_) smoothing_ = call.Argument("smoothing").toDouble();
  }

  std::vector<at::Tensor> Forward(const TileContext& context, TileInputs& inputs,
                                  Kept& kept) const override {
    if (context.tile.whole()) return TileOperator::Forward(context, inputs, kept);
    at::Tensor sum = SumOf(inputs.Read(0), inputs.Read(1));
    if (!context.tile.first()) sum.add_(kept[0]);
    kept = {sum};
    if (!context.tile.last()) return {};
    kept.clear();
    return {sum.div_(Count(inputs).to(sum.scalar_type()))};
  }

  void Backward(const TileContext&, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    const at::Tensor gradient = inputs.ReadGradient(0);
    const at::Tensor labels = inputs.Read(1);
    const at::Tensor shape = inputs.ShapeOf(0, gradient);
    const at::Tensor count = Count(inputs).to(gradient.scalar_type());
    at::Tensor result =
        at::nll_loss_backward(gradient.mul(1 - smoothing_), shape, labels, /*weight=*/{},
                              at::Reduction::Mean, ignored_label_, count);
    if (smoothed_) {
      const at::Tensor share = gradient.mul(smoothing_).div(count * result.size(1));
      result.sub_(labels.ne(ignored_label_).unsqueeze(1).mul(share));
    }
    give(0, std::move(result));
  }

 private:
  // Of all labels, whatever the tile.
  at::Tensor Count(TileInputs& inputs) const {
    return inputs.ReadWhole(1).ne(ignored_label_).sum();
  }

  at::Tensor SumOf(const at::Tensor& log_probabilities, const at::Tensor& labels) const {
    at::Tensor sum =
        at::nll_loss(log_probabilities, labels, /*weight=*/{}, at::Reduction::Sum, ignored_label_);
    if (!smoothed_) return sum;
    const at::Tensor rows = log_probabilities.sum(1).masked_fill_(labels.eq(ignored_label_), 0);
    return sum.mul_(1 - smoothing_)
        .sub_(rows.sum(), smoothing_ / static_cast<double>(log_probabilities.size(1)));
  }

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
