#include "planner/cost/cost.h"

#include <vector>

#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"

namespace mantissa::planner {
namespace {

// Two groups: input [N,3] with the weight [2,3] read from it, and linear [N,2].
Graph TwoGroups() {
  Graph graph("two");
  const ValueId x = graph.AddInput("input", DType::kFloat32, {Dim::Batch(), 3});
  const ValueId weight = graph.AddParameter("linear.weight", {2, 3});
  graph.AddNode({.name = "linear",
                 .op = "aten::linear",
                 .args = {{"input", ValueRef{x}}, {"weight", ValueRef{weight}}, {"bias", {}}}},
                DType::kFloat32, {Dim::Batch(), 2});
  return graph;
}

TEST(CostOf, AddsUpBitsOfEachTensorsFormat) {
  const TensorTable tensors(TwoGroups());
  std::vector<kernels::Format> formats(tensors.tensors().size(), kernels::kHigh);
  formats[0] = kernels::kLowForward;  // v of the input
  const Cost cost = CostOf(tensors, formats, {false, false}, /*batch_size=*/10);
  EXPECT_EQ(cost.total_elements, 2 * 30 + 2 * 6 + 2 * 20);
  EXPECT_EQ(cost.bits_high, 112 * 16);
  EXPECT_EQ(cost.bits_fp32, 112 * 32);
  EXPECT_EQ(cost.bits, 112 * 16 - 30 * 8);
  EXPECT_DOUBLE_EQ(cost.ratio_low_bits, 2.0 * 240 / (112 * 16));
  EXPECT_EQ(cost.ratio_low_groups, 0);
}

TEST(CostOf, CountsElementsOfLowGroupsHoweverTheirTensorsWerePromoted) {
  const TensorTable tensors(TwoGroups());
  const std::vector<kernels::Format> formats(tensors.tensors().size(), kernels::kHigh);
  const Cost cost = CostOf(tensors, formats, {true, false}, /*batch_size=*/10);
  EXPECT_DOUBLE_EQ(cost.ratio_low_groups, 72.0 / 112);
  EXPECT_EQ(cost.ratio_low_bits, 0);
  EXPECT_EQ(CostOf(tensors, formats, {true, true}, 10).ratio_low_groups, 1);
}

TEST(ApproximateElements, DoesNotOverflowWhereIntegersWould) {
  Graph graph("huge");
  graph.AddInput("input", DType::kFloat32, {Dim::Batch(int64_t{1} << 40), int64_t{1} << 40});
  EXPECT_EQ(ApproximateElements(TensorTable(graph), 1 << 20), 2 * 0x1p100);
}

}  // namespace
}  // namespace mantissa::planner
