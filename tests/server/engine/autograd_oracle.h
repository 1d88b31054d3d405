// A graph forward and backward by LibTorch's autograd in double precision, for tests: another way
// than the engine's, with nothing rounded.
#ifndef MANTISSA_TESTS_SERVER_ENGINE_AUTOGRAD_ORACLE_H_
#define MANTISSA_TESTS_SERVER_ENGINE_AUTOGRAD_ORACLE_H_

#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "base/status.h"
#include "planner/graph/graph.h"
#include "server/engine/model_state.h"
#include "server/engine/operator_call.h"
#include "torch/csrc/autograd/autograd.h"

namespace mantissa::engine {

struct AutogradResult {
  double loss = 0;
  std::vector<at::Tensor> gradients;  // by parameter; undefined where there is none
};

inline AutogradResult RunUnderAutograd(const planner::Graph& graph, const ModelState& state,
                                       const std::vector<at::Tensor>& inputs,
                                       const at::Tensor& target) {
  // What is a number of float32 becomes one of double.
  const auto exact = [](const at::Tensor& tensor) {
    return tensor.is_floating_point() ? tensor.to(at::kDouble) : tensor;
  };
  std::vector<at::Tensor> values(graph.values().size());
  for (size_t i = 0; i < inputs.size(); ++i) values[graph.inputs()[i]] = exact(inputs[i]);
  values[graph.target()] = exact(target);
  const int64_t batch_size = target.size(0);
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    at::Tensor leaf = state.parameters[i].to(at::kDouble);
    leaf.set_requires_grad(true);
    values[graph.parameters()[i]] = leaf;
  }
  for (size_t i = 0; i < state.buffers.size(); ++i) {
    values[graph.buffers()[i]] = exact(state.buffers[i]);
  }
  for (size_t i = 0; i < state.constants.size(); ++i) {
    values[graph.constants()[i]] = exact(state.constants[i]);
  }
  for (const planner::Node& node : graph.nodes()) {
    auto call = OperatorCall::Resolve(node);
    MANTISSA_CHECK_OK(call);
    std::vector<at::Tensor> tensors;
    for (const planner::ValueId value : call->tensors()) tensors.push_back(values[value]);
    const std::vector<at::Tensor> made = call->Call(std::move(tensors), {.batch_size = batch_size});
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != planner::kNoValue) values[node.outputs[i]] = exact(made[i]);
    }
  }
  const at::Tensor loss = values[graph.loss()];
  torch::autograd::backward({loss}, {});
  AutogradResult result{.loss = loss.item<double>()};
  for (const planner::ValueId parameter : graph.parameters()) {
    result.gradients.push_back(values[parameter].grad());
  }
  return result;
}

}  // namespace mantissa::engine

#endif  // MANTISSA_TESTS_SERVER_ENGINE_AUTOGRAD_ORACLE_H_
