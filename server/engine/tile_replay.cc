// Any operator with a derivative: its backward runs its forward once more, under autograd. What it
// does not read then is not there any more, and something of the same shape stands for it.

#include <optional>
#include <utility>

#include "ATen/core/grad_mode.h"
#include "ATen/ops/zeros.h"
#include "server/engine/tile_operators.h"
#include "torch/csrc/autograd/autograd.h"

namespace mantissa::engine {
namespace {

class Replay : public TileOperator {
 public:
  using TileOperator::TileOperator;

  std::vector<at::Tensor> Forward(const TileContext& context, TileInputs& inputs,
                                  Kept& kept) const override {
    if (!ChangesArguments()) return TileOperator::Forward(context, inputs, kept);
    std::vector<at::Tensor> tensors;
    for (size_t i = 0; i < call().tensors().size(); ++i) {
      // What is written over its first input leaves the value that others read alone.
      at::Tensor tensor = inputs.Read(i);
      if (i == 0 && !IsOwned(tensor)) tensor = tensor.clone();
      tensors.push_back(std::move(tensor));
    }
    return call().Call(std::move(tensors), context.call);
  }

  void Backward(const TileContext& context, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    const at::AutoGradMode with_autograd(true);
    std::vector<at::Tensor> arguments;
    torch::autograd::variable_list leaves;
    std::vector<size_t> leaf_inputs;
    for (size_t i = 0; i < call().tensors().size(); ++i) {
      at::Tensor tensor = inputs.IsRead(i) ? inputs.Read(i).detach() : StandIn(context, inputs, i);
      if (inputs.Wanted(i)) {
        tensor.set_requires_grad(true);
        leaves.push_back(tensor);
        leaf_inputs.push_back(i);
      }
      // No leaf may be written over.
      arguments.push_back(i == 0 && ChangesArguments() ? tensor.clone() : std::move(tensor));
    }
    torch::autograd::variable_list outputs, gradients;
    std::vector<at::Tensor> made = call().Call(std::move(arguments), context.call);
    for (size_t i = 0; i < made.size(); ++i) {
      if (!made[i].defined() || !made[i].requires_grad()) continue;
      at::Tensor gradient = inputs.ReadGradient(i);
      if (!gradient.defined()) continue;
      gradients.push_back(gradient.to(made[i].scalar_type()));
      outputs.push_back(std::move(made[i]));
    }
    if (outputs.empty() || leaves.empty()) return;
    torch::autograd::variable_list computed =
        torch::autograd::grad(outputs, leaves, gradients, /*retain_graph=*/std::nullopt,
                              /*create_graph=*/false, /*allow_unused=*/true);
    const at::AutoGradMode without(false);
    for (size_t i = 0; i < leaf_inputs.size(); ++i) give(leaf_inputs[i], std::move(computed[i]));
  }

 private:
  bool ChangesArguments() const { return call().handle().schema().is_mutable(); }

  // One zero, shown in the input's shape.
  static at::Tensor StandIn(const TileContext& context, TileInputs& inputs, size_t input) {
    const at::TensorOptions options(inputs.Type(input));
    return at::zeros({1}, options.device(context.call.device)).expand(inputs.Sizes(input));
  }
};

}  // namespace

TileOperatorPtr MakeReplay(const OperatorCall& call) { return std::make_unique<Replay>(call); }

}  // namespace mantissa::engine
