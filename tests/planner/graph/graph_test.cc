#include "planner/graph/graph.h"

#include <variant>

#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/loss.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;

Graph Logits() {
  Graph graph("logits");
  graph.SetOutput(graph.AddInput("input", DType::kFloat32, {Dim::Batch(), 10}));
  return graph;
}

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

TEST(Graph, AttachesTheMeanNegativeLogLikelihood) {
  Graph graph = Logits();
  MANTISSA_CHECK_OK(AttachLoss(graph, {}));
  ASSERT_EQ(graph.nodes().size(), 2);
  EXPECT_EQ(graph.node(0).name, "criterion.logsoftmax");
  EXPECT_EQ(graph.node(0).op, "aten::log_softmax");
  EXPECT_EQ(graph.node(0).overload, "int");
  EXPECT_EQ(graph.node(1).name, "criterion.nllloss");
  EXPECT_EQ(graph.node(1).op, "aten::nll_loss");
  EXPECT_THAT(TensorInputs(graph, 1), ElementsAre(graph.node(0).outputs[0], graph.target()));
  EXPECT_EQ(std::get<int64_t>(*FindArgument(graph.node(1), "reduction")), 1);
  // One number, counted as one element a sample.
  EXPECT_EQ(Elements(graph.value(graph.loss()).shape, 128), 128);
}

TEST(Graph, AttachesTheSmoothedLossOnlyWhenAskedTo) {
  Graph graph = Logits();
  MANTISSA_CHECK_OK(AttachLoss(graph, {.label_smoothing = 0.1}));
  EXPECT_EQ(graph.node(1).op, "mantissa::smoothed_nll_loss");
  EXPECT_EQ(std::get<double>(*FindArgument(graph.node(1), "smoothing")), 0.1);
}

}  // namespace
}  // namespace mantissa::planner
