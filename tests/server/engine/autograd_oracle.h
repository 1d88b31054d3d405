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
                                       const at::Tensor& images, const at::Tensor& labels) {
  std::vector<at::Tensor> values(graph.values().size());
  values[graph.inputs()[0]] = images.to(at::kDouble);
  values[graph.target()] = labels;
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    at::Tensor leaf = state.parameters[i].to(at::kDouble);
    leaf.set_requires_grad(true);
    values[graph.parameters()[i]] = leaf;
  }
  for (size_t i = 0; i < state.buffers.size(); ++i) {
    values[graph.buffers()[i]] = state.buffers[i].to(at::kDouble);
  }
  for (const planner::Node& node : graph.nodes()) {
    auto call = OperatorCall::Resolve(graph, node);
    MANTISSA_CHECK_OK(call);
    std::vector<c10::IValue> tensors;
    for (const planner::ValueId value : call->tensors()) tensors.push_back(values[value]);
    std::vector<c10::IValue> stack = call->Arguments(std::move(tensors), /*training=*/true);
    call->handle().callBoxed(stack);
    values[node.outputs[0]] = stack[0].toTensor();
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
