// How tensors are held changes no result: packed or emulated, whole or in tiles, saved or computed
// again.

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/equal.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/cost/memory.h"
#include "planner/plan.h"
#include "server/engine/memory_ledger.h"
#include "server/engine/model_state.h"
#include "server/engine/step.h"
#include "tests/server/engine/random_tensors.h"

namespace mantissa::engine {
namespace {

constexpr int64_t kBatch = 6;
constexpr int kSteps = 9;

// What a training leaves: its weights and statistics, and what each step told.
struct Trained {
  ModelState state;
  std::vector<double> losses;
  int skipped = 0;
  std::vector<std::string> promoted;
};

struct Way {
  Storage storage = Storage::kPacked;
  bool recompute = false;
  int64_t tile_bytes = 100000;
};

struct Case {
  const char* model;
  const char* policy;
  double low_ratio;
  kernels::Rounding rounding;
  planner::Recipe recipe = planner::Recipe::kPaper;
};

planner::Plan PlanOf(const Case& c, int64_t batch_size) {
  auto plan = planner::MakePlan({.model = {.name = c.model, .width = 0.1},
                                 .precision = {.policy = c.policy, .low_ratio = c.low_ratio},
                                 .batch_size = batch_size,
                                 .recipe = c.recipe});
  MANTISSA_CHECK_OK(plan);
  return *std::move(plan);
}

Trained Train(const Case& c, const Way& way) {
  planner::Plan plan = PlanOf(c, kBatch);
  if (way.recompute) plan.recompute = planner::CanRecompute(plan.graph, plan.tensors);
  Trained result;
  auto state = InitialState(plan.graph, plan.request.model, /*seed=*/3);
  MANTISSA_CHECK_OK(state);
  result.state = *std::move(state);
  auto runner = StepRunner::Create(
      plan, result.state,
      {.rounding = c.rounding,
       .seed = 9,
       .batch_size = kBatch,
       .promotion_threshold = 0.002,
       // So large that the first steps overflow.
       .loss_scale = {.scale = 0x1p20, .dynamic = true, .growth_interval = 2},
       .runner = {.storage = way.storage,
                  .wide = c.recipe == planner::Recipe::kBf16 ? at::kBFloat16 : at::kFloat,
                  .tile_bytes = way.tile_bytes}});
  MANTISSA_CHECK_OK(runner);
  for (int step = 1; step <= kSteps; ++step) {
    // The last batch of an epoch is smaller. Images that overflow promote.
    const int64_t size = step % 3 == 0 ? 2 : kBatch;
    const Batch batch = {{RandomTensor({size, 3, 32, 32}, step, /*deviation=*/16)},
                         RandomLabels(size, 10, step)};
    auto told = (*runner)->Step(step, batch, /*learning_rate=*/0.05);
    MANTISSA_CHECK_OK(told);
    result.losses.push_back(told->loss_unrounded);
    result.skipped += told->skipped ? 1 : 0;
    for (const PromotedTensor& tensor : told->promotion.promoted) {
      result.promoted.push_back(tensor.name);
    }
  }
  return result;
}

void ExpectEqual(const Trained& a, const Trained& b) {
  EXPECT_EQ(a.losses, b.losses);
  EXPECT_EQ(a.skipped, b.skipped);
  EXPECT_EQ(a.promoted, b.promoted);
  for (size_t i = 0; i < a.state.parameters.size(); ++i) {
    EXPECT_TRUE(at::equal(a.state.parameters[i], b.state.parameters[i])) << "parameter " << i;
  }
  for (size_t i = 0; i < a.state.buffers.size(); ++i) {
    EXPECT_TRUE(at::equal(a.state.buffers[i], b.state.buffers[i])) << "buffer " << i;
  }
}

class StorageTest : public ::testing::TestWithParam<Case> {};

TEST_P(StorageTest, PackedEqualsEmulatedAndRecomputedEqualsSavedBitForBit) {
  const Trained packed = Train(GetParam(), {.storage = Storage::kPacked});
  // Without these the test would say less than its name.
  EXPECT_GT(packed.skipped, 0);
  EXPECT_LT(packed.skipped, kSteps);
  EXPECT_THAT(packed.promoted, ::testing::Not(::testing::IsEmpty()));
  ExpectEqual(packed, Train(GetParam(), {.storage = Storage::kEmulated}));
  ExpectEqual(packed, Train(GetParam(), {.storage = Storage::kPacked, .recompute = true}));
  ExpectEqual(packed, Train(GetParam(), {.storage = Storage::kEmulated, .recompute = true}));
}

INSTANTIATE_TEST_SUITE_P(
    Models, StorageTest,
    ::testing::Values(Case{"resnet18", "uniform", 1, kernels::Rounding::kNearestEven},
                      Case{"squeezenet", "demotion", 0.5, kernels::Rounding::kStochastic},
                      Case{"shufflenet_v2", "demotion", 0.9, kernels::Rounding::kNearestEven},
                      Case{"mobilenet_v2", "demotion", 1, kernels::Rounding::kReference},
                      Case{"resnet18", "demotion", 0.5, kernels::Rounding::kNearestEven,
                           planner::Recipe::kBf16},
                      Case{"shufflenet_v2", "demotion", 1, kernels::Rounding::kStochastic,
                           planner::Recipe::kBf16}));

// The value of the loss, and the logits before it, for tiles of that size.
std::pair<double, at::Tensor> ForwardWithTiles(planner::Plan& plan, const ModelState& state,
                                               int64_t tile_bytes) {
  Rounder rounder(kernels::Rounding::kStochastic, /*seed=*/1);
  auto runner = GraphRunner::Create(plan.graph, plan.tensors, &rounder, {.tile_bytes = tile_bytes});
  MANTISSA_CHECK_OK(runner);
  (*runner)->SetFormats(plan.assignment.formats);
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    (*runner)->Bind(plan.graph.parameters()[i], state.parameters[i]);
  }
  for (size_t i = 0; i < state.buffers.size(); ++i) {
    (*runner)->Bind(plan.graph.buffers()[i], state.buffers[i].clone());
  }
  const GraphRunner::Output output = (*runner)->Forward({RandomTensor({8, 3, 32, 32}, /*seed=*/1)},
                                                        RandomLabels(8, 10, /*seed=*/2), {});
  return {output.loss_unrounded.item<double>(), output.Result().clone()};
}

TEST(Tiles, TheirSizeChangesNoBitOfTheForwardPass) {
  for (const char* model : {"resnet18", "mobilenet_v2", "shufflenet_v2", "squeezenet"}) {
    planner::Plan plan =
        PlanOf({model, "demotion", 0.6, kernels::Rounding::kNearestEven}, /*batch_size=*/8);
    auto state = InitialState(plan.graph, plan.request.model, /*seed=*/3);
    MANTISSA_CHECK_OK(state);
    const auto whole = ForwardWithTiles(plan, *state, int64_t{1} << 40);
    for (const int64_t tile_bytes : {200000, 70000}) {
      const auto tiled = ForwardWithTiles(plan, *state, tile_bytes);
      EXPECT_EQ(tiled.first, whole.first) << model;
      EXPECT_TRUE(at::equal(tiled.second, whole.second)) << model;
    }
  }
}

TEST(SavedForBackward, IsWhatTheScheduleSaysInTheBytesOfItsFormats) {
  for (const bool recompute : {false, true}) {
    for (const char* model : {"resnet18", "mobilenet_v2", "shufflenet_v2", "squeezenet"}) {
      planner::Plan plan =
          PlanOf({model, "uniform", 1, kernels::Rounding::kNearestEven}, /*batch_size=*/8);
      planner::ScheduleOptions options;
      if (recompute) options.recompute = planner::CanRecompute(plan.graph, plan.tensors);
      auto state = InitialState(plan.graph, plan.request.model, /*seed=*/3);
      MANTISSA_CHECK_OK(state);
      Rounder rounder(kernels::Rounding::kNearestEven, /*seed=*/1);
      auto runner =
          GraphRunner::Create(plan.graph, plan.tensors, &rounder, {.recompute = options.recompute});
      MANTISSA_CHECK_OK(runner);
      (*runner)->SetFormats(plan.assignment.formats);
      for (size_t i = 0; i < state->parameters.size(); ++i) {
        (*runner)->Bind(plan.graph.parameters()[i], state->parameters[i]);
      }
      for (size_t i = 0; i < state->buffers.size(); ++i) {
        (*runner)->Bind(plan.graph.buffers()[i], state->buffers[i]);
      }
      const int64_t before = MemoryLedger::Process().live().total();
      (*runner)->Forward({RandomTensor({8, 3, 32, 32}, /*seed=*/1)}, RandomLabels(8, 10, 2), {});
      const int64_t saved = MemoryLedger::Process().live().total() - before;
      const planner::MemoryForecast forecast = planner::PredictMemory(
          plan.graph, plan.tensors, plan.assignment.formats,
          planner::MakeSchedule(plan.graph, plan.tensors, options), /*batch_size=*/8, {});
      EXPECT_NEAR(static_cast<double>(saved),
                  static_cast<double>(forecast.saved_for_backward_bytes),
                  0.001 * static_cast<double>(saved))
          << model << (recompute ? " recomputing" : "");
    }
  }
}

}  // namespace
}  // namespace mantissa::engine
