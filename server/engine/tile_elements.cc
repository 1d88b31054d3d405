// Element-wise operators, concatenation and slices, and batch norm.

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include "ATen/ops/empty.h"
#include "ATen/ops/native_batch_norm.h"
#include "ATen/ops/native_batch_norm_backward.h"
#include "ATen/ops/relu.h"
#include "ATen/ops/slice_backward.h"
#include "base/status.h"
#include "kernels/packed/mask.h"
#include "server/engine/device.h"
#include "server/engine/tile_operators.h"

namespace mantissa::engine {
namespace {

// The gradient passes where the output was above zero before it was rounded, and is zero elsewhere,
// even where what comes back is infinite.
class Relu : public TileOperator {
 public:
  using TileOperator::TileOperator;

  std::vector<at::Tensor> Forward(const TileContext& context, TileInputs& inputs,
                                  Kept& kept) const override {
    at::Tensor y = inputs.Read(0);
    y = IsOwned(y) ? y.relu_() : at::relu(y);
    if (!context.keep) return {y};
    if (context.tile.first()) {
      const int64_t elements = context.tile.whole() ? y.numel() : context.tile.extent;
      kept = {at::empty({kernels::MaskBytes(elements)}, y.options().dtype(at::kByte))};
    }
    MANTISSA_CHECK_OK(kernels::MaskPositive(KernelDeviceOf(y), ElementOf(y.scalar_type()),
                                            y.const_data_ptr(), context.tile.begin, y.numel(),
                                            kept[0].mutable_data_ptr<uint8_t>()));
    return {y};
  }

  void Backward(const TileContext& context, TileInputs& inputs, const Kept& kept,
                const GiveGradient& give) const override {
    if (!inputs.Wanted(0)) return;
    at::Tensor gradient = inputs.ReadGradient(0);
    if (!IsOwned(gradient)) gradient = gradient.clone();
    MANTISSA_CHECK_OK(kernels::ApplyMask(KernelDeviceOf(gradient),
                                         ElementOf(gradient.scalar_type()),
                                         kept[0].const_data_ptr<uint8_t>(), context.tile.begin,
                                         gradient.numel(), gradient.mutable_data_ptr()));
    give(0, std::move(gradient));
  }
};

// Of equal shapes, so both inputs' gradients are the output's.
class Add : public TileOperator {
 public:
  using TileOperator::TileOperator;

  std::vector<at::Tensor> Forward(const TileContext&, TileInputs& inputs, Kept&) const override {
    at::Tensor sum = inputs.Read(0);
    if (!IsOwned(sum)) return {sum.add(inputs.Read(1))};
    inputs.AddTo(1, sum);
    return {sum};
  }

  void Backward(const TileContext&, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    const at::Tensor gradient = inputs.ReadGradient(0);
    for (size_t i = 0; i < call().tensors().size(); ++i) give(i, gradient);
  }
};

class Cat : public TileOperator {
 public:
  explicit Cat(const OperatorCall& call) : TileOperator(call), dim_(call.Argument("dim").toInt()) {}

  void Backward(const TileContext&, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    const at::Tensor gradient = inputs.ReadGradient(0);
    int64_t begin = 0;
    for (size_t i = 0; i < call().tensors().size(); ++i) {
      const std::vector<int64_t> sizes = inputs.Sizes(i);
      const int64_t size = sizes[dim_ < 0 ? dim_ + static_cast<int64_t>(sizes.size()) : dim_];
      give(i, gradient.narrow(dim_, begin, size));
      begin += size;
    }
  }

 private:
  const int64_t dim_;
};

class Slice : public TileOperator {
 public:
  explicit Slice(const OperatorCall& call)
      : TileOperator(call),
        dim_(call.Argument("dim").toInt()),
        start_(Bound("start", 0)),
        end_(Bound("end", INT64_MAX)),
        step_(call.Argument("step").toInt()) {}

  void Backward(const TileContext&, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    give(0, at::slice_backward(inputs.ReadGradient(0), inputs.Sizes(0), dim_, start_, end_, step_));
  }

 private:
  int64_t Bound(const char* name, int64_t otherwise) const {
    const c10::IValue value = call().Argument(name);
    return value.isNone() ? otherwise : value.toInt();
  }

  const int64_t dim_, start_, end_, step_;
};

// A tile is some channels of all samples, whose statistics are theirs alone.
class BatchNorm : public TileOperator {
 public:
  explicit BatchNorm(const OperatorCall& call)
      : TileOperator(call),
        input_(call.TensorIndex("input")),
        weight_(call.TensorIndex("weight")),
        bias_(call.TensorIndex("bias")),
        mean_(call.TensorIndex("running_mean")),
        variance_(call.TensorIndex("running_var")),
        momentum_(call.Argument("momentum").toDouble()),
        epsilon_(call.Argument("eps").toDouble()) {}

  std::vector<at::Tensor> Forward(const TileContext& context, TileInputs& inputs,
                                  Kept& kept) const override {
    const at::Tensor x = inputs.Read(input_);
    // Without running statistics the input's are taken always.
    const bool training = context.call.training || mean_ < 0;
    // Made once more, an output moves no statistics.
    const bool running = context.keep || !training;
    auto [y, mean, deviation] = at::native_batch_norm(
        x, Channels(context, inputs, weight_), Channels(context, inputs, bias_),
        running ? Channels(context, inputs, mean_) : std::nullopt,
        running ? Channels(context, inputs, variance_) : std::nullopt, training, momentum_,
        epsilon_);
    if (context.keep) {
      if (context.tile.first()) {
        const int64_t channels = context.tile.whole() ? x.size(1) : context.tile.extent;
        for (const at::Tensor& statistic : {mean, deviation}) {
          kept.push_back(at::empty({channels}, statistic.options()));
        }
      }
      ChannelsOf(context, kept[0]).copy_(mean);
      ChannelsOf(context, kept[1]).copy_(deviation);
    }
    return {y};
  }

  void Backward(const TileContext& context, TileInputs& inputs, const Kept& kept,
                const GiveGradient& give) const override {
    const auto wanted = [&](int index) { return index >= 0 && inputs.Wanted(index); };
    const at::Tensor gradient = inputs.ReadGradient(0);
    auto [dx, dw, db] = at::native_batch_norm_backward(
        gradient, inputs.Read(input_), Channels(context, inputs, weight_),
        /*running_mean=*/std::nullopt, /*running_var=*/std::nullopt, ChannelsOf(context, kept[0]),
        ChannelsOf(context, kept[1]), /*train=*/true, epsilon_,
        {wanted(input_), wanted(weight_), wanted(bias_)});
    give(input_, std::move(dx));
    if (weight_ >= 0) give(weight_, std::move(dw));
    if (bias_ >= 0) give(bias_, std::move(db));
  }

 private:
  static at::Tensor ChannelsOf(const TileContext& context, const at::Tensor& whole) {
    if (context.tile.whole()) return whole;
    return whole.narrow(0, context.tile.begin, context.tile.size());
  }
  static std::optional<at::Tensor> Channels(const TileContext& context, TileInputs& inputs,
                                            int index) {
    if (index < 0) return std::nullopt;
    return ChannelsOf(context, inputs.Read(index));
  }

  const int input_, weight_, bias_, mean_, variance_;
  const double momentum_, epsilon_;
};

}  // namespace

TileOperatorPtr MakeRelu(const OperatorCall& call) { return std::make_unique<Relu>(call); }
TileOperatorPtr MakeAdd(const OperatorCall& call) { return std::make_unique<Add>(call); }
TileOperatorPtr MakeCat(const OperatorCall& call) { return std::make_unique<Cat>(call); }
TileOperatorPtr MakeSlice(const OperatorCall& call) { return std::make_unique<Slice>(call); }
TileOperatorPtr MakeBatchNorm(const OperatorCall& call) {
  return std::make_unique<BatchNorm>(call);
}

}  // namespace mantissa::engine
