// Any operator with a derivative: its backward runs its forward once more, under autograd.

#include <optional>
#include <utility>

#include "ATen/core/grad_mode.h"
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
    std::vector<c10::IValue> tensors;
    for (size_t i = 0; i < call().tensors().size(); ++i) {
      // What is written over its first input leaves the value that others read alone.
      const at::Tensor tensor = inputs.Read(i);
      tensors.push_back(i == 0 && !IsOwned(tensor) ? tensor.clone() : tensor);
    }
    return Call(context, std::move(tensors));
  }

  void Backward(const TileContext& context, TileInputs& inputs, const Kept&,
                const GiveGradient& give) const override {
    const at::AutoGradMode with_autograd(true);
    std::vector<c10::IValue> arguments;
    torch::autograd::variable_list leaves;
    std::vector<size_t> leaf_inputs;
    for (size_t i = 0; i < call().tensors().size(); ++i) {
      const bool wanted = inputs.Wanted(i);
      at::Tensor tensor = inputs.Read(i).detach();
      if (wanted) {
        tensor.set_requires_grad(true);
        leaves.push_back(tensor);
        leaf_inputs.push_back(i);
      }
      // Running statistics have moved already, and no leaf may be written over.
      arguments.push_back(wanted && !ChangesArguments() ? tensor : tensor.clone());
    }
    torch::autograd::variable_list outputs, gradients;
    const std::vector<at::Tensor> made = Call(context, std::move(arguments));
    for (size_t i = 0; i < made.size(); ++i) {
      if (!made[i].defined() || !made[i].requires_grad()) continue;
      at::Tensor gradient = inputs.ReadGradient(i);
      if (!gradient.defined()) continue;
      outputs.push_back(made[i]);
      gradients.push_back(gradient.to(made[i].scalar_type()));
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
};

}  // namespace

TileOperatorPtr MakeReplay(const OperatorCall& call) { return std::make_unique<Replay>(call); }

}  // namespace mantissa::engine
