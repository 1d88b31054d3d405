// Graphs as exported models give them: several inputs, operators of many results, random ones,
// tied weights, losses over positions; and what a step can be asked for besides.

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/allclose.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/rand.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/plan.h"
#include "server/engine/checkpoint.h"
#include "server/engine/step.h"
#include "tests/server/engine/expect_gradients.h"
#include "tests/server/engine/exported_graph.h"

namespace mantissa::engine {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kBatch = 6;

TEST(ExportedGraphs, GradientsAreAutogradsThroughAttentionRecurrenceListsAndTiedWeights) {
  const planner::Plan plan = ExportedPlan(ExportedGraph::Make(0), "none", std::nullopt, kBatch);
  const Batch batch = ExportedGraph::Samples(kBatch, /*seed=*/1);
  ExpectSameGradients(plan.graph, ExportedGraph::State(plan.graph), batch.inputs, batch.target,
                      /*tolerance=*/1e-4);
}

// Weights, statistics, averages and told losses of some steps.
struct Trained {
  ModelState state;
  std::vector<double> losses;
};

struct Way {
  Storage storage = Storage::kPacked;
  bool recompute = false;
  uint64_t seed = 9;
};

StepOptions OptionsOf(const Way& way) {
  return {.seed = way.seed,
          .batch_size = kBatch,
          .loss_scale = {.scale = 1024},
          // So small that most operators run in several tiles.
          .runner = {.storage = way.storage, .tile_bytes = 300}};
}

Trained Train(const Way& way, int steps) {
  planner::Plan plan = ExportedPlan(ExportedGraph::Make(0.3), "demotion", 0.5, kBatch);
  if (way.recompute) plan.recompute = planner::CanRecompute(plan.graph, plan.tensors);
  Trained result = {.state = ExportedGraph::State(plan.graph)};
  auto runner = StepRunner::Create(plan, result.state, OptionsOf(way));
  MANTISSA_CHECK_OK(runner);
  for (int step = 1; step <= steps; ++step) {
    auto told = (*runner)->Step(step, ExportedGraph::Samples(step == 2 ? 2 : kBatch, step),
                                /*learning_rate=*/0.05);
    MANTISSA_CHECK_OK(told);
    result.losses.push_back(told->loss_unrounded);
  }
  return result;
}

void ExpectEqual(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i], b[i])) << i;
}

TEST(ExportedGraphs, PackedEmulatedAndRecomputedTrainAlikeBitForBitWithDropout) {
  const Trained packed = Train({}, 4);
  const Trained emulated = Train({.storage = Storage::kEmulated}, 4);
  const Trained recomputed = Train({.recompute = true}, 4);
  EXPECT_EQ(packed.losses, emulated.losses);
  EXPECT_EQ(packed.losses, recomputed.losses);
  ExpectEqual(packed.state.parameters, emulated.state.parameters);
  ExpectEqual(packed.state.parameters, recomputed.state.parameters);
}

TEST(ExportedGraphs, DropoutDependsOnTheSeedAndNothingElse) {
  const Trained once = Train({}, 2);
  at::rand({100});
  EXPECT_EQ(Train({}, 2).losses, once.losses);
  EXPECT_NE(Train({.seed = 10}, 2).losses, once.losses);
}

// A training of the exported graph whose steps can be looked at one by one.
struct Training {
  explicit Training(planner::PlanRequest request = {}, double dropout = 0,
                    const std::string& policy = "none")
      : plan(ExportedPlan(ExportedGraph::Make(dropout), policy,
                          policy == "none" ? std::nullopt : std::optional<double>(0.5), kBatch,
                          std::move(request))),
        state(ExportedGraph::State(plan.graph)) {
    StepOptions options = OptionsOf({});
    options.round = policy != "none";
    auto made = StepRunner::Create(plan, state, options);
    MANTISSA_CHECK_OK(made);
    runner = *std::move(made);
  }

  StepResult Step(int64_t step, std::vector<Batch> batches) {
    size_t next = 0;
    auto result = runner->Step(
        step, static_cast<int64_t>(batches.size()),
        [&]() -> absl::StatusOr<Batch> { return batches[next++]; }, /*learning_rate=*/0.05);
    MANTISSA_CHECK_OK(result);
    return *result;
  }

  planner::Plan plan;
  ModelState state;
  std::unique_ptr<StepRunner> runner;
};

Batch Joined(const Batch& a, const Batch& b) {
  Batch joined = {.target = at::cat({a.target, b.target})};
  for (size_t i = 0; i < a.inputs.size(); ++i) {
    joined.inputs.push_back(at::cat({a.inputs[i], b.inputs[i]}));
  }
  return joined;
}

TEST(Accumulation, AStepOfTwoBatchesIsAStepOfOneTwiceAsLarge) {
  Training two({.accumulate_batches = 2}), one;
  Batch first = ExportedGraph::Samples(kBatch, 1), second = ExportedGraph::Samples(kBatch, 2);
  // As many labels in both, or a mean over samples is not one over labels.
  const StepResult told = two.Step(1, {first, second});
  const StepResult expected = one.Step(1, {Joined(first, second)});
  EXPECT_EQ(told.samples, 2 * kBatch);
  EXPECT_EQ(told.labels, expected.labels);
  EXPECT_EQ(told.correct, expected.correct);
  EXPECT_NEAR(told.loss_unrounded, expected.loss_unrounded, 1e-5);
  for (size_t i = 0; i < one.state.parameters.size(); ++i) {
    EXPECT_TRUE(at::allclose(two.state.parameters[i], one.state.parameters[i], 1e-5, 1e-6)) << i;
  }
}

TEST(Accumulation, OneBatchWhoseGradientsAreNotFiniteSkipsTheStep) {
  Training training({.accumulate_batches = 2});
  const at::Tensor before = training.state.parameters[0].clone();
  Batch broken = ExportedGraph::Samples(kBatch, 1);
  broken.inputs[1].fill_(INFINITY);
  EXPECT_TRUE(training.Step(1, {broken, ExportedGraph::Samples(kBatch, 2)}).skipped);
  EXPECT_TRUE(at::equal(before, training.state.parameters[0]));
  EXPECT_FALSE(training.Step(2, {ExportedGraph::Samples(kBatch, 3)}).skipped);
}

TEST(Clipping, ScalesTheStepByTheNormOfAllGradients) {
  Training clipped({.clip_norm = 0.01}), free;
  const std::vector<at::Tensor> start = ExportedGraph::State(free.plan.graph).parameters;
  const Batch batch = ExportedGraph::Samples(kBatch, 1);
  const StepResult told = clipped.Step(1, {batch});
  free.Step(1, {batch});
  // Without momentum yet, and with its weight decay taken out, a step is the gradient's.
  double norm = 0;
  std::vector<at::Tensor> gradients;
  for (size_t i = 0; i < start.size(); ++i) {
    gradients.push_back(start[i].sub(free.state.parameters[i]).div(0.05).sub(start[i], 5e-4));
    norm += std::pow(gradients.back().norm().item<double>(), 2);
  }
  norm = std::sqrt(norm);
  EXPECT_NEAR(told.gradient_norm, norm, 1e-4 * norm);
  for (size_t i = 0; i < start.size(); ++i) {
    const at::Tensor expected =
        start[i].sub(gradients[i].mul(0.01 / norm).add(start[i], 5e-4), 0.05);
    EXPECT_TRUE(at::allclose(clipped.state.parameters[i], expected, 1e-5, 1e-6)) << i;
  }
}

TEST(Averages, FollowTheWeightsAndAreWhatIsEvaluated) {
  Training training({.ema_decay = 0.75});
  at::Tensor expected = training.state.parameters[0].clone();
  for (int step = 1; step <= 3; ++step) {
    training.Step(step, {ExportedGraph::Samples(kBatch, step)});
    expected = expected.mul(0.75).add(training.state.parameters[0], 0.25);
  }
  EXPECT_TRUE(at::allclose(training.state.averages[0], expected, 1e-5, 1e-7));
  const Batch batch = ExportedGraph::Samples(kBatch, 7);
  const auto evaluate = [&] {
    auto result = training.runner->Evaluate(batch, StepRunner::Evaluation::kAssigned);
    MANTISSA_CHECK_OK(result);
    return result->loss_unrounded;
  };
  const double averaged = evaluate();
  for (at::Tensor& weight : training.state.parameters) weight = weight.mul(2);
  EXPECT_EQ(evaluate(), averaged);
}

TEST(Evaluation, DropsNothingAndCountsOnlyLabelsThatAreNotIgnored) {
  Training dropping({}, /*dropout=*/0.5), plain;
  const Batch batch = ExportedGraph::Samples(kBatch, 1);
  const auto a = dropping.runner->Evaluate(batch, StepRunner::Evaluation::kFp32);
  const auto b = plain.runner->Evaluate(batch, StepRunner::Evaluation::kFp32);
  MANTISSA_CHECK_OK(a);
  MANTISSA_CHECK_OK(b);
  EXPECT_EQ(a->loss_unrounded, b->loss_unrounded);
  EXPECT_EQ(a->labels, 20);  // of 24
}

TEST(FrozenParameters, StayAsTheyAreAndHaveNoMoments) {
  Training training({.freeze = {"lstm.*", "words"}});
  const std::vector<at::Tensor> before = ExportedGraph::State(training.plan.graph).parameters;
  training.Step(1, {ExportedGraph::Samples(kBatch, 1)});
  int frozen = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    const bool is_frozen = training.plan.graph.value(training.plan.graph.parameters()[i]).frozen;
    EXPECT_EQ(at::equal(before[i], training.state.parameters[i]), is_frozen) << i;
    EXPECT_EQ(training.runner->optimizer().moments()[0].tensor(i).numel() == 0, is_frozen) << i;
    frozen += is_frozen ? 1 : 0;
  }
  EXPECT_EQ(frozen, 5);
}

TEST(Resume, OfATrainingWithDropoutAveragesAndAccumulationIsBitEqual) {
  const planner::PlanRequest request = {.accumulate_batches = 2, .clip_norm = 1, .ema_decay = 0.9};
  const auto step = [](Training& training, int64_t number) {
    return training
        .Step(number, {ExportedGraph::Samples(kBatch, 2 * number),
                       ExportedGraph::Samples(kBatch, 2 * number + 1)})
        .loss_unrounded;
  };
  Training whole(request, 0.3, "demotion"), first(request, 0.3, "demotion"),
      second(request, 0.3, "demotion");
  const TempFolder folder;
  const std::string path = folder.path() + "/checkpoint.safetensors";
  for (int64_t number = 1; number <= 2; ++number) {
    EXPECT_EQ(step(first, number), step(whole, number));
  }
  MANTISSA_CHECK_OK(SaveCheckpoint(RealFileSystem(), path, first.plan, first.state, *first.runner,
                                   {.step = 2, .epoch = 1}));
  MANTISSA_CHECK_OK(
      LoadCheckpoint(RealFileSystem(), path, second.plan, second.state, *second.runner));
  for (int64_t number = 3; number <= 4; ++number) {
    EXPECT_EQ(step(second, number), step(whole, number));
  }
  ExpectEqual(second.state.parameters, whole.state.parameters);
  ExpectEqual(second.state.averages, whole.state.averages);
}

// input [N, 3] -> relu -> loss
planner::Plan RegressionPlan(planner::LossKind kind, planner::Shape shape) {
  planner::Graph graph("regression");
  const planner::ValueId input =
      graph.AddInput("input", planner::DType::kFloat32, {planner::Dim::Batch(), int64_t{3}});
  const planner::ValueId weight = graph.AddParameter("weight", {int64_t{3}, int64_t{3}});
  graph.SetOutput(graph.AddNode(
      {.name = "linear",
       .op = "aten::linear",
       .args = {{"input", planner::ValueRef{input}}, {"weight", planner::ValueRef{weight}}}},
      planner::DType::kFloat32, std::move(shape)));
  return ExportedPlan(std::move(graph), "none", std::nullopt, kBatch, {.loss = {.kind = kind}});
}

TEST(Losses, OfNumbersHaveNoAccuracyAndAutogradsGradients) {
  for (const planner::LossKind kind : {planner::LossKind::kMse, planner::LossKind::kBce}) {
    planner::Plan plan = RegressionPlan(kind, {planner::Dim::Batch(), int64_t{3}});
    ModelState state = {.parameters = {RandomTensor({3, 3}, /*seed=*/1)}};
    const Batch batch = {.inputs = {RandomTensor({kBatch, 3}, /*seed=*/2)},
                         .target = RandomTensor({kBatch, 3}, /*seed=*/3).sigmoid()};
    ExpectSameGradients(plan.graph, state, batch.inputs, batch.target, /*tolerance=*/1e-5);
    auto runner = StepRunner::Create(plan, state, {.round = false, .batch_size = kBatch});
    MANTISSA_CHECK_OK(runner);
    auto told = (*runner)->Step(1, batch, /*learning_rate=*/0.1);
    MANTISSA_CHECK_OK(told);
    EXPECT_EQ(told->labels, 0);
    EXPECT_GT(told->loss_unrounded, 0);
  }
}

TEST(ExportedGraphs, ANodeThatMakesAnotherShapeThanTheGraphSaysIsNamed) {
  planner::Plan plan = RegressionPlan(planner::LossKind::kMse, {planner::Dim::Batch(), int64_t{4}});
  ModelState state = {.parameters = {RandomTensor({3, 3}, /*seed=*/1)}};
  auto runner = StepRunner::Create(plan, state, {.round = false, .batch_size = kBatch});
  MANTISSA_CHECK_OK(runner);
  const Batch batch = {.inputs = {RandomTensor({kBatch, 3}, /*seed=*/2)},
                       .target = RandomTensor({kBatch, 4}, /*seed=*/3)};
  const auto told = (*runner)->Step(1, batch, /*learning_rate=*/0.1);
  EXPECT_THAT(std::string(told.status().message()),
              HasSubstr("it makes [6, 3] for linear; the graph says [6, 4] for a batch of 6"));
  EXPECT_THAT(std::string(told.status().message()), HasSubstr("node linear (aten::linear)"));
}

TEST(ExportedGraphs, InputsOfAnotherShapeThanTheModelTakesAreNamed) {
  Training training;
  Batch batch = ExportedGraph::Samples(kBatch, 1);
  batch.inputs[0] = batch.inputs[0].to(at::kInt);
  const auto told = training.runner->Step(1, batch, /*learning_rate=*/0.1);
  EXPECT_THAT(std::string(told.status().message()),
              HasSubstr("tokens is Int[6, 5]; the model takes Long[6, 5]"));
}

}  // namespace
}  // namespace mantissa::engine
