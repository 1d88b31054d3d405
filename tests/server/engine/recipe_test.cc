// The bf16 recipe: what is computed in which type, and that it trains.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/equal.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/loss.h"
#include "planner/plan.h"
#include "server/engine/model_state.h"
#include "server/engine/step.h"
#include "tests/server/engine/random_tensors.h"
#include "tests/server/engine/tiny_graph.h"

namespace mantissa::engine {
namespace {

using planner::TensorKind;

constexpr int64_t kBatch = 8;

// The type of what is rounded, by kind and name of the tensor.
class Types : public RoundingProbe {
 public:
  explicit Types(const planner::Graph& graph) : graph_(graph) {}
  void OnRounding(const RoundingSite& site, const at::Tensor& before, const at::Tensor&) override {
    types[{site.kind, graph_.value(site.value).name}] = before.scalar_type();
  }
  std::map<std::pair<TensorKind, std::string>, at::ScalarType> types;

 private:
  const planner::Graph& graph_;
};

struct Training {
  explicit Training(planner::Plan given, double scale = 1024) : plan(std::move(given)) {
    auto initial = InitialState(plan.graph, plan.request.model, /*seed=*/3);
    MANTISSA_CHECK_OK(initial);
    state = *std::move(initial);
    Start(scale);
  }
  Training(planner::Plan given, ModelState weights) : plan(std::move(given)), state(weights) {
    Start(1024);
  }
  void Start(double scale) {
    auto made = StepRunner::Create(
        plan, state,
        {.batch_size = kBatch,
         .promotion_threshold = 0.01,
         .loss_scale = {.scale = scale},
         .runner = {.wide = plan.request.recipe == planner::Recipe::kBf16 ? at::kBFloat16
                                                                          : at::kFloat}});
    MANTISSA_CHECK_OK(made);
    runner = *std::move(made);
  }
  StepResult Step(const Batch& batch, double learning_rate = 0.02) {
    auto result = runner->Step(++steps, batch, learning_rate);
    MANTISSA_CHECK_OK(result);
    return *result;
  }

  planner::Plan plan;
  ModelState state;
  std::unique_ptr<StepRunner> runner;
  int steps = 0;
};

planner::Plan PlanOf(const std::string& policy, std::optional<double> low_ratio,
                     planner::Recipe recipe) {
  auto plan = planner::MakePlan({.model = {.name = "resnet18", .width = 0.1},
                                 .precision = {.policy = policy, .low_ratio = low_ratio},
                                 .batch_size = kBatch,
                                 .recipe = recipe});
  MANTISSA_CHECK_OK(plan);
  return *std::move(plan);
}

Batch BatchOf(float deviation = 1) {
  return {{RandomTensor({kBatch, 3, 32, 32}, /*seed=*/1, deviation)},
          RandomLabels(kBatch, 10, /*seed=*/2)};
}

TEST(Bf16Recipe, ComputesInBf16ButForTheLossAndWhatBelongsToTheMasters) {
  Training training(PlanOf("demotion", 0.5, planner::Recipe::kBf16));
  Types probe(training.plan.graph);
  training.runner->set_probe(&probe);
  training.Step(BatchOf());
  const auto type = [&](TensorKind kind, const char* name) { return probe.types.at({kind, name}); };
  for (const char* name : {"conv1", "bn1", "relu1", "layer1.0.conv1", "linear"}) {
    EXPECT_EQ(type(TensorKind::kActivation, name), at::kBFloat16) << name;
  }
  for (const char* name : {"bn1", "relu1", "layer1.0.bn2"}) {
    EXPECT_EQ(type(TensorKind::kActivationGradient, name), at::kBFloat16) << name;
  }
  EXPECT_EQ(type(TensorKind::kActivation, "criterion.logsoftmax"), at::kFloat);
  EXPECT_EQ(type(TensorKind::kActivationGradient, "linear"), at::kFloat);
  for (const char* name : {"conv1.weight", "bn1.weight", "linear.bias"}) {
    EXPECT_EQ(type(TensorKind::kParameter, name), at::kFloat) << name;
    EXPECT_EQ(type(TensorKind::kParameterGradient, name), at::kFloat) << name;
  }
  for (const at::Tensor& tensor : training.state.parameters) {
    EXPECT_EQ(tensor.scalar_type(), at::kFloat);
  }
}

TEST(Bf16Recipe, LearnsABatchAsFp32Does) {
  const Batch batch = BatchOf();
  Training fp32(PlanOf("none", std::nullopt, planner::Recipe::kPaper));
  Training high(PlanOf("uniform", 0, planner::Recipe::kBf16));
  Training low(PlanOf("uniform", 1, planner::Recipe::kBf16));
  double losses[3] = {};
  for (int step = 0; step < 12; ++step) {
    int i = 0;
    for (Training* training : {&fp32, &high, &low}) {
      losses[i] = training->Step(batch).loss_unrounded;
      // The first loss is of the same weights: only bf16's rounding lies between.
      if (step == 0) {
        EXPECT_NEAR(losses[i], losses[0], 0.1 * losses[0]);
      }
      ++i;
    }
  }
  for (const double loss : losses) EXPECT_LT(loss, 1);
}

TEST(Bf16Recipe, WhatOverflowsIsPromotedToBf16) {
  Training training(PlanOf("uniform", 1, planner::Recipe::kBf16));
  const StepResult result = training.Step(BatchOf(/*deviation=*/40));
  ASSERT_FALSE(result.promotion.promoted.empty());
  EXPECT_EQ(training.plan.assignment.formats[training.runner->promoter().promoted()[0]],
            kernels::kBf16);
}

TEST(Bf16Recipe, AGradientThatOverflowsBf16SkipsTheStep) {
  Training training(PlanOf("uniform", 0, planner::Recipe::kBf16), /*scale=*/0x1p127);
  const at::Tensor before = training.state.parameters[0].clone();
  EXPECT_TRUE(training.Step(BatchOf(/*deviation=*/40)).skipped);
  EXPECT_TRUE(at::equal(training.state.parameters[0], before));
  EXPECT_EQ(training.runner->scaler().scale(), 0x1p126);
}

// input [N, 3] -> linear [N, 2] -> sigmoid, which the table of gradients lacks -> loss
planner::Graph GraphWithSigmoid() {
  using planner::Dim;
  using planner::ValueRef;
  planner::Graph graph("sigmoid");
  const auto input = graph.AddInput("input", planner::DType::kFloat32, {Dim::Batch(), int64_t{3}});
  const auto weight = graph.AddParameter("weight", {int64_t{2}, int64_t{3}});
  const auto linear =
      graph.AddNode({.name = "linear",
                     .op = "aten::linear",
                     .args = {{"input", ValueRef{input}}, {"weight", ValueRef{weight}}}},
                    planner::DType::kFloat32, {Dim::Batch(), int64_t{2}});
  const auto sigmoid = graph.AddNode(
      {.name = "sigmoid", .op = "aten::sigmoid", .args = {{"self", ValueRef{linear}}}},
      planner::DType::kFloat32, {Dim::Batch(), int64_t{2}});
  graph.SetOutput(sigmoid);
  MANTISSA_CHECK_OK(planner::AttachLoss(graph, {}));
  return graph;
}

TEST(Bf16Recipe, OperatorsThatTheTableLacksAreReplayedInFp32) {
  planner::Plan plan = PlanWith(GraphWithSigmoid(), kernels::kBf16, kernels::kBf16, kernels::kBf16,
                                kernels::kBf16, kBatch);
  plan.request.recipe = planner::Recipe::kBf16;
  Training training(std::move(plan), ModelState{.parameters = {RandomTensor({2, 3}, /*seed=*/4)}});
  Types probe(training.plan.graph);
  training.runner->set_probe(&probe);
  const Batch batch = {{RandomTensor({kBatch, 3}, /*seed=*/1)},
                       RandomLabels(kBatch, 2, /*seed=*/2)};
  const double first = training.Step(batch, 0.5).loss_unrounded;
  EXPECT_EQ(probe.types.at({TensorKind::kActivation, "sigmoid"}), at::kFloat);
  EXPECT_EQ(probe.types.at({TensorKind::kActivation, "linear"}), at::kBFloat16);
  for (int step = 0; step < 20; ++step) training.Step(batch, 0.5);
  EXPECT_LT(training.Step(batch, 0.5).loss_unrounded, first);
}

}  // namespace
}  // namespace mantissa::engine
