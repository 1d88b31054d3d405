// Time of one training step by model and policy; policy none is the roof, as it rounds nothing.
//
//   bazel run //tests/bench/server/engine:step_bench
//
// One thread, width 0.25, 3x32x32. Low precision computes in float32 and packs what it keeps, which
// costs time here; `/none` in the same run says how much.

#include <cstdint>
#include <string>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/linspace.h"
#include "base/status.h"
#include "benchmark/benchmark.h"
#include "planner/plan.h"
#include "server/engine/model_state.h"
#include "server/engine/step.h"

namespace mantissa::engine {
namespace {

void BM_Step(benchmark::State& state, const std::string& model, const std::string& policy) {
  at::set_num_threads(1);
  const int64_t batch_size = state.range(0);
  auto plan = planner::MakePlan({.model = {.name = model, .width = 0.25},
                                 .precision = {.policy = policy},
                                 .batch_size = batch_size});
  MANTISSA_CHECK_OK(plan);
  auto weights = InitialState(plan->graph, plan->request.model, /*seed=*/1);
  MANTISSA_CHECK_OK(weights);
  auto runner = StepRunner::Create(
      *plan, *weights,
      {.round = policy != "none", .batch_size = batch_size, .loss_scale = {.scale = 1024}});
  MANTISSA_CHECK_OK(runner);
  const Batch batch = {.inputs = {at::linspace(-2, 2, batch_size * 3 * 32 * 32, at::kFloat)
                                      .view({batch_size, 3, 32, 32})},
                       .target = at::arange(batch_size, at::kLong).remainder(10)};
  int64_t step = 0;
  for (auto _ : state) MANTISSA_CHECK_OK((*runner)->Step(++step, batch, /*learning_rate=*/0.01));
  state.SetItemsProcessed(state.iterations() * batch_size);
}

bool RegisterAll() {
  for (const char* model : {"squeezenet", "shufflenet_v2", "mobilenet_v2", "resnet18"}) {
    for (const char* policy : {"none", "demotion", "uniform"}) {
      benchmark::RegisterBenchmark((std::string(model) + "/" + policy).c_str(),
                                   [=](benchmark::State& state) { BM_Step(state, model, policy); })
          ->Arg(32)
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}

[[maybe_unused]] const bool registered = RegisterAll();

}  // namespace
}  // namespace mantissa::engine
