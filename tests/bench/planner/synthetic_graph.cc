#include "tests/bench/planner/synthetic_graph.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "planner/cost/cost.h"
#include "planner/graph/tensors.h"
#include "planner/models/builder.h"
#include "planner/policies/registry.h"

namespace mantissa::planner {

Graph SyntheticGraph(int64_t operators) {
  GraphBuilder net("synthetic", {8, 8, 8});
  ValueId x = net.input();
  for (int64_t block = 0; 4 * block < operators; ++block) {
    const std::string name = absl::StrCat("block", block);
    // Prime steps: sizes rise and fall without a pattern that would suit a sort.
    const int64_t hidden = 8 + block * 7919 % 1009;
    ValueId main = net.Conv(name + ".conv", x, hidden, {.kernel = 3, .padding = 1});
    main = net.Relu(name + ".relu", net.BatchNorm(name + ".bn", main));
    x = net.Cat(name + ".cat", {main, x});
    // Keeps the number of channels from growing without bound.
    if (net.Channels(x) > 4096) x = main;
  }
  return std::move(net).Finish(x);
}

int64_t PlanBits(const Graph& graph) {
  constexpr int64_t kBatchSize = 128;
  const TensorTable tensors(graph);
  const Assignment assignment =
      MakePolicy({.policy = "demotion"}).value()->Assign(graph, tensors, kBatchSize).value();
  return CostOf(tensors, assignment.formats, assignment.group_low, kBatchSize).bits;
}

}  // namespace mantissa::planner
