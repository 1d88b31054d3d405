// Time to plan by number of operators; the fit at the end should be N log N.
//
//   bazel run //tests/bench/planner:plan_benchmark

#include <cstdint>

#include "benchmark/benchmark.h"
#include "tests/bench/planner/synthetic_graph.h"

namespace mantissa::planner {
namespace {

void BM_Plan(benchmark::State& state) {
  const Graph graph = SyntheticGraph(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(PlanBits(graph));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(BM_Plan)
    ->RangeMultiplier(4)
    ->Range(1'000, 256'000)
    ->Unit(benchmark::kMillisecond)
    ->Complexity(benchmark::oNLogN);

}  // namespace
}  // namespace mantissa::planner
