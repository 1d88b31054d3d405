#include "planner/graph/graph.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;

TEST(Graph, CountsElementsAtABatchSize) {
  EXPECT_EQ(Elements({Dim::Batch(), 3, 4}, 8), 96);
  EXPECT_EQ(Elements({Dim::Batch(2), 3}, 8), 48);
  EXPECT_EQ(Elements({}, 8), 1);
}

TEST(Graph, FlattensListsOfInputsAndLeavesOutNumbers) {
  Graph graph("cat");
  const ValueId a = graph.AddInput("a", DType::kFloat32, {Dim::Batch(), 1});
  const ValueId b = graph.AddInput("b", DType::kFloat32, {Dim::Batch(), 1});
  graph.AddNode(
      {.name = "cat",
       .op = "aten::cat",
       .args = {{"tensors", std::vector<ValueRef>{{b}, {a}}}, {"dim", int64_t{1}}, {"none", {}}}},
      DType::kFloat32, {Dim::Batch(), 2});
  EXPECT_THAT(TensorInputs(graph, 0), ElementsAre(b, a));
}

}  // namespace
}  // namespace mantissa::planner
