// The engine's gradients of a graph against autograd's, for tests.
#ifndef MANTISSA_TESTS_SERVER_ENGINE_EXPECT_GRADIENTS_H_
#define MANTISSA_TESTS_SERVER_ENGINE_EXPECT_GRADIENTS_H_

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "base/status.h"
#include "gtest/gtest.h"
#include "planner/graph/tensors.h"
#include "server/engine/graph_runner.h"
#include "server/engine/model_state.h"
#include "tests/server/engine/autograd_oracle.h"

namespace mantissa::engine {

// One tile of float32, or many tiles of what is nearly float32.
struct Cut {
  const char* name;
  kernels::Format format;
  int64_t tile_bytes;
};
inline const Cut kCuts[] = {{"whole", kernels::kFp32, int64_t{1} << 30},
                            {"tiles", kernels::Fp(8, 22, 0), 2000}};

// Norm of the difference, relative to the norm; parameters whose gradient is nothing but
// rounding errors are held to the largest of all.
inline void ExpectSameGradients(const planner::Graph& graph, const ModelState& state,
                                const std::vector<at::Tensor>& inputs, const at::Tensor& target,
                                double tolerance) {
  const AutogradResult expected = RunUnderAutograd(graph, state, inputs, target);
  double largest = 0;
  for (const at::Tensor& gradient : expected.gradients) {
    largest = std::max(largest, gradient.norm().item<double>());
  }
  const planner::TensorTable tensors(graph);
  for (const Cut& cut : kCuts) {
    Rounder rounder(kernels::Rounding::kNearestEven, /*seed=*/0);
    auto runner = GraphRunner::Create(
        graph, tensors, &rounder, {.storage = Storage::kEmulated, .tile_bytes = cut.tile_bytes});
    MANTISSA_CHECK_OK(runner);
    (*runner)->SetFormats(std::vector<kernels::Format>(tensors.tensors().size(), cut.format));
    for (size_t i = 0; i < state.parameters.size(); ++i) {
      (*runner)->Bind(graph.parameters()[i], state.parameters[i]);
    }
    for (size_t i = 0; i < state.buffers.size(); ++i) {
      (*runner)->Bind(graph.buffers()[i], state.buffers[i].clone());
    }
    for (size_t i = 0; i < state.constants.size(); ++i) {
      (*runner)->Bind(graph.constants()[i], state.constants[i]);
    }
    const GraphRunner::Output output = (*runner)->Forward(inputs, target, {});
    EXPECT_NEAR(output.loss.item<double>(), expected.loss, 1e-5 * std::abs(expected.loss))
        << cut.name;
    (*runner)->Backward(1);
    for (size_t i = 0; i < state.parameters.size(); ++i) {
      const std::string& name = graph.value(graph.parameters()[i]).name;
      const PackedTensor packed = (*runner)->TakeGradient(i);
      ASSERT_TRUE(packed.defined()) << name;
      const at::Tensor gradient = packed.Unpack(Tile{}, at::kFloat).to(at::kDouble);
      const at::Tensor& exact = expected.gradients[i];
      ASSERT_EQ(gradient.sizes(), exact.sizes()) << name;
      EXPECT_LE(gradient.sub(exact).norm().item<double>(),
                tolerance * (exact.norm().item<double>() + 0.01 * largest))
          << cut.name << " " << name;
    }
  }
}

}  // namespace mantissa::engine

#endif  // MANTISSA_TESTS_SERVER_ENGINE_EXPECT_GRADIENTS_H_
