// Dropout, whose backward pass needs a bit an element: which were kept.

#include "ATen/ops/empty.h"
#include "base/status.h"
#include "kernels/packed/mask.h"
#include "server/engine/device.h"
#include "server/engine/tile_operators.h"

namespace mantissa::engine {
namespace {

class Dropout : public TileOperator {
 public:
  explicit Dropout(const OperatorCall& call)
      : TileOperator(call), kept_rate_(1 - call.Argument("p").toDouble()) {}

  std::vector<at::Tensor> Forward(const TileContext& context, TileInputs& inputs,
                                  Kept& kept) const override {
    at::Tensor x = inputs.Read(0);
    if (!context.call.training) return {x};
    if (!IsOwned(x)) x = x.clone();
    // Drawn in the forward pass; to be made again reads what was drawn.
    if (context.keep) Draw(context, x, kept);
    Apply(context, kept, x);
    return {x};
  }

  void Backward(const TileContext& context, TileInputs& inputs, const Kept& kept,
                const GiveGradient& give) const override {
    if (!inputs.Wanted(0)) return;
    at::Tensor gradient = inputs.ReadGradient(0);
    if (!IsOwned(gradient)) gradient = gradient.clone();
    Apply(context, kept, gradient);
    give(0, std::move(gradient));
  }

 private:
  void Draw(const TileContext& context, const at::Tensor& x, Kept& kept) const {
    if (context.tile.first()) {
      const int64_t elements = context.tile.whole() ? x.numel() : context.tile.extent;
      kept = {at::empty({kernels::MaskBytes(elements)}, x.options().dtype(at::kByte))};
    }
    const at::Tensor draws = at::empty(x.sizes(), x.options()).bernoulli_(kept_rate_);
    MANTISSA_CHECK_OK(kernels::MaskPositive(KernelDeviceOf(x), ElementOf(x.scalar_type()),
                                            draws.const_data_ptr(), context.tile.begin, x.numel(),
                                            kept[0].mutable_data_ptr<uint8_t>()));
  }

  // Zero where it was dropped, even where it is infinite.
  void Apply(const TileContext& context, const Kept& kept, const at::Tensor& wide) const {
    MANTISSA_CHECK_OK(kernels::ApplyMask(KernelDeviceOf(wide), ElementOf(wide.scalar_type()),
                                         kept[0].const_data_ptr<uint8_t>(), context.tile.begin,
                                         wide.numel(), wide.mutable_data_ptr()));
    if (kept_rate_ > 0) wide.mul_(1 / kept_rate_);
  }

  const double kept_rate_;
};

}  // namespace

TileOperatorPtr MakeDropout(const OperatorCall& call) { return std::make_unique<Dropout>(call); }

}  // namespace mantissa::engine
