#include "server/engine/graph_runner.h"

#include <cmath>
#include <string>
#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/tensor.h"
#include "ATen/ops/zeros.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/loss.h"
#include "planner/plan.h"
#include "server/engine/model_state.h"
#include "tests/server/engine/tiny_graph.h"

namespace mantissa::engine {
namespace {

using planner::Dim;
using planner::ValueRef;
using ::testing::HasSubstr;

class GraphRunnerTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<GraphRunner>> Create(planner::Graph graph) {
    plan_ =
        std::make_unique<planner::Plan>(PlanWith(std::move(graph), kernels::kFp32, kernels::kFp32,
                                                 kernels::kFp32, kernels::kFp32, /*batch_size=*/2));
    return GraphRunner::Create(plan_->graph, plan_->tensors, &rounder_, {});
  }

  // A graph of one operator between the input [N, 3] and the loss.
  absl::StatusOr<std::unique_ptr<GraphRunner>> CreateWith(planner::Node node) {
    planner::Graph graph("one");
    const planner::ValueId input =
        graph.AddInput("input", planner::DType::kFloat32, {Dim::Batch(), int64_t{3}});
    node.name = "node";
    if (node.args.empty()) node.args = {{"self", ValueRef{input}}};
    graph.SetOutput(
        graph.AddNode(std::move(node), planner::DType::kFloat32, {Dim::Batch(), int64_t{3}}));
    MANTISSA_CHECK_OK(planner::AttachLoss(graph, {}));
    return Create(std::move(graph));
  }

  std::string ErrorOf(planner::Node node) {
    return std::string(CreateWith(std::move(node)).status().message());
  }

  Rounder rounder_{kernels::Rounding::kNearestEven, /*seed=*/0};
  std::unique_ptr<planner::Plan> plan_;
};

TEST_F(GraphRunnerTest, UnknownOperatorsAndArgumentsAreNamed) {
  EXPECT_THAT(ErrorOf({.op = "aten::does_not_exist"}),
              HasSubstr("node node (aten::does_not_exist): LibTorch has no such operator"));
  EXPECT_THAT(ErrorOf({.op = "aten::relu", .args = {{"x", ValueRef{0}}}}),
              HasSubstr("it has no argument x"));
  EXPECT_THAT(ErrorOf({.op = "aten::clamp_min", .overload = ""}),
              HasSubstr("its argument min is missing"));
  EXPECT_THAT(ErrorOf({.op = "aten::transpose",
                       .overload = "int",
                       .args = {{"self", int64_t{1}},
                                {"dim0", std::vector<ValueRef>{{0}}},
                                {"dim1", int64_t{1}}}}),
              HasSubstr("its argument dim0 is no int"));
}

TEST_F(GraphRunnerTest, NumbersStandForTensorsWithoutChangingTheType) {
  auto runner = CreateWith(
      {.op = "aten::mul", .overload = "Tensor", .args = {{"self", ValueRef{0}}, {"other", 2.5}}});
  MANTISSA_CHECK_OK(runner);
  const GraphRunner::Output output =
      (*runner)->Forward({at::ones({2, 3})}, at::zeros({2}, at::kLong), {});
  EXPECT_EQ(output.Result().scalar_type(), at::kFloat);
  EXPECT_EQ(output.Result().sum().item<float>(), 15);
}

TEST_F(GraphRunnerTest, MeanLossOfEqualLogitsIsTheLogarithmOfTheClasses) {
  auto runner = CreateWith({.op = "aten::relu"});
  MANTISSA_CHECK_OK(runner);
  const GraphRunner::Output output =
      (*runner)->Forward({at::ones({2, 3})}, at::zeros({2}, at::kLong), {});
  EXPECT_NEAR(output.loss.item<double>(), std::log(3.0), 1e-6);
  EXPECT_EQ(output.loss_unrounded.item<double>(), output.loss.item<double>());
}

TEST_F(GraphRunnerTest, SmoothedLossIsTheCrossEntropyWithTheSmoothedTarget) {
  constexpr double kSmoothing = 0.2;
  planner::Graph graph("one");
  const planner::ValueId input =
      graph.AddInput("input", planner::DType::kFloat32, {Dim::Batch(), int64_t{3}});
  graph.SetOutput(
      graph.AddNode({.name = "relu", .op = "aten::relu", .args = {{"self", ValueRef{input}}}},
                    planner::DType::kFloat32, {Dim::Batch(), int64_t{3}}));
  MANTISSA_CHECK_OK(planner::AttachLoss(graph, {.label_smoothing = kSmoothing}));
  auto runner = Create(std::move(graph));
  MANTISSA_CHECK_OK(runner);
  const std::vector<std::vector<double>> logits = {{1, 2, 3}, {0, 4, 0.5}};
  const std::vector<int64_t> labels = {2, 0};
  double expected = 0;
  for (int i = 0; i < 2; ++i) {
    double sum = 0;
    for (const double logit : logits[i]) sum += std::exp(logit);
    for (int c = 0; c < 3; ++c) {
      const double target = (c == labels[i] ? 1 - kSmoothing : 0) + kSmoothing / 3;
      expected -= target * (logits[i][c] - std::log(sum)) / 2;
    }
  }
  const GraphRunner::Output output = (*runner)->Forward(
      {at::tensor(std::vector<float>{1, 2, 3, 0, 4, 0.5}).view({2, 3})}, at::tensor(labels), {});
  EXPECT_NEAR(output.loss.item<double>(), expected, 1e-6);
}

TEST_F(GraphRunnerTest, ViewsThatRepeatOrDropElementsAreRefused) {
  planner::Graph graph("one");
  const planner::ValueId input =
      graph.AddInput("input", planner::DType::kFloat32, {Dim::Batch(), int64_t{1}});
  graph.SetOutput(
      graph.AddNode({.name = "node",
                     .op = "aten::expand",
                     .args = {{"self", ValueRef{input}}, {"size", std::vector<int64_t>{-1, 3}}}},
                    planner::DType::kFloat32, {Dim::Batch(), int64_t{3}}, input));
  MANTISSA_CHECK_OK(planner::AttachLoss(graph, {}));
  EXPECT_THAT(std::string(Create(std::move(graph)).status().message()),
              HasSubstr("node node (aten::expand): it shows more or fewer elements"));
}

TEST_F(GraphRunnerTest, TrainingFlagDecidesWhetherBatchNormUsesAndMovesTheRunningStatistics) {
  auto plan = planner::MakePlan({.model = {.name = "squeezenet", .width = 0.1},
                                 .precision = {.policy = "none"},
                                 .batch_size = 2});
  MANTISSA_CHECK_OK(plan);
  auto state = InitialState(plan->graph, plan->request.model, /*seed=*/3);
  MANTISSA_CHECK_OK(state);
  auto runner = GraphRunner::Create(plan->graph, plan->tensors, &rounder_, {});
  MANTISSA_CHECK_OK(runner);
  for (size_t i = 0; i < state->parameters.size(); ++i) {
    (*runner)->Bind(plan->graph.parameters()[i], state->parameters[i]);
  }
  for (size_t i = 0; i < state->buffers.size(); ++i) {
    (*runner)->Bind(plan->graph.buffers()[i], state->buffers[i]);
  }
  const at::Tensor images = at::full({2, 3, 32, 32}, 0.5);
  const at::Tensor labels = at::zeros({2}, at::kLong);
  const at::Tensor mean = state->buffers[0].clone();
  (*runner)->Forward({images}, labels, {.training = false});
  EXPECT_TRUE(at::equal(mean, state->buffers[0]));
  (*runner)->Forward({images}, labels, {.training = true});
  EXPECT_FALSE(at::equal(mean, state->buffers[0]));
}

}  // namespace
}  // namespace mantissa::engine
