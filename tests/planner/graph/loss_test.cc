#include "planner/graph/loss.h"

#include <cmath>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Graph Returning(Shape shape, DType dtype = DType::kFloat32) {
  Graph graph("output");
  graph.SetOutput(graph.AddInput("input", dtype, std::move(shape)));
  return graph;
}

int64_t IntOf(const Node& node, const char* name) {
  return std::get<int64_t>(*FindArgument(node, name));
}

TEST(AttachLoss, AppendsTheMeanNegativeLogLikelihoodOfLogits) {
  Graph graph = Returning({Dim::Batch(), 10});
  ASSERT_TRUE(AttachLoss(graph, {}).ok());
  ASSERT_EQ(graph.nodes().size(), 2);
  EXPECT_EQ(graph.node(0).name, "criterion.logsoftmax");
  EXPECT_EQ(graph.node(0).op, "aten::log_softmax");
  EXPECT_EQ(graph.node(0).overload, "int");
  EXPECT_EQ(graph.node(1).name, "criterion.nllloss");
  EXPECT_EQ(graph.node(1).op, "aten::nll_loss");
  EXPECT_THAT(TensorInputs(graph, 1), ElementsAre(graph.node(0).outputs[0], graph.target()));
  EXPECT_EQ(IntOf(graph.node(1), "reduction"), 1);
  EXPECT_EQ(IntOf(graph.node(1), "ignore_index"), -100);
  EXPECT_EQ(graph.value(graph.target()).shape, Shape{Dim::Batch()});
  // One number, counted as one element a sample.
  EXPECT_EQ(Elements(graph.value(graph.loss()).shape, 128), 128);
}

TEST(AttachLoss, AppendsTheSmoothedLossOnlyWhenAskedTo) {
  Graph graph = Returning({Dim::Batch(), 10});
  ASSERT_TRUE(AttachLoss(graph, {.label_smoothing = 0.1, .ignore_index = 0}).ok());
  EXPECT_EQ(graph.node(1).op, "mantissa::smoothed_nll_loss");
  EXPECT_EQ(std::get<double>(*FindArgument(graph.node(1), "smoothing")), 0.1);
  EXPECT_EQ(IntOf(graph.node(1), "ignore_index"), 0);
}

TEST(AttachLoss, TakesALabelAPositionOfASequence) {
  Graph graph = Returning({Dim::Batch(), 7, 50});
  ASSERT_TRUE(AttachLoss(graph, {.ignore_index = 3}).ok());
  EXPECT_EQ(graph.value(graph.target()).shape, (Shape{Dim::Batch(), 7}));
  EXPECT_EQ(IntOf(graph.node(0), "dim"), 2);
  const Node& loss = graph.nodes().back();
  EXPECT_EQ(loss.op, "aten::nll_loss");
  EXPECT_EQ(IntOf(loss, "ignore_index"), 3);
  // Both are shown as one row a position.
  const Value& rows = graph.value(FindValueArgument(loss, "self"));
  EXPECT_EQ(rows.shape, (Shape{Dim::Batch(7), 50}));
  EXPECT_EQ(rows.alias_of, graph.node(0).outputs[0]);
  const Value& labels = graph.value(FindValueArgument(loss, "target"));
  EXPECT_EQ(labels.shape, Shape{Dim::Batch(7)});
  EXPECT_EQ(labels.alias_of, graph.target());
  EXPECT_EQ(ClassDimension(graph), 2);
}

TEST(AttachLoss, TakesALabelAPixelOfAMap) {
  Graph graph = Returning({Dim::Batch(), 21, 8, 9});
  ASSERT_TRUE(AttachLoss(graph, {}).ok());
  EXPECT_EQ(graph.value(graph.target()).shape, (Shape{Dim::Batch(), 8, 9}));
  EXPECT_EQ(IntOf(graph.node(0), "dim"), 1);
  EXPECT_EQ(graph.nodes().back().op, "aten::nll_loss2d");
}

TEST(AttachLoss, TakesLogProbabilitiesAsTheyAre) {
  Graph graph = Returning({Dim::Batch(3), 10});
  ASSERT_TRUE(AttachLoss(graph, {.kind = LossKind::kNll}).ok());
  ASSERT_EQ(graph.nodes().size(), 1);
  EXPECT_THAT(TensorInputs(graph, 0), ElementsAre(graph.output(), graph.target()));
  EXPECT_EQ(graph.value(graph.target()).shape, Shape{Dim::Batch(3)});
}

TEST(AttachLoss, ComparesValuesWithATargetOfTheirShape) {
  for (const auto& [kind, op] :
       {std::pair(LossKind::kMse, "aten::mse_loss"),
        std::pair(LossKind::kBce, "aten::binary_cross_entropy_with_logits")}) {
    Graph graph = Returning({Dim::Batch(), 3, 5});
    ASSERT_TRUE(AttachLoss(graph, {.kind = kind}).ok());
    EXPECT_EQ(graph.node(0).op, op);
    EXPECT_EQ(graph.value(graph.target()).shape, (Shape{Dim::Batch(), 3, 5}));
    EXPECT_EQ(graph.value(graph.target()).dtype, DType::kFloat32);
    EXPECT_EQ(Elements(graph.value(graph.loss()).shape, 4), 4);
  }
}

struct Refused {
  Shape shape;
  LossOptions options;
  std::string text;
  DType dtype = DType::kFloat32;
};

TEST(AttachLoss, RefusesOutputsThatItCannotCompareBySayingWhatItCan) {
  const Refused cases[] = {
      {{Dim::Batch()}, {}, "[N, classes], [N, T, classes] or [N, classes, H, W]"},
      {{Dim::Batch(), 2, 3, 4, 5}, {}, "over an output [N, 2, 3, 4, 5]"},
      {{10, 5}, {}, "whose first dimension is the batch"},
      {{}, {.kind = LossKind::kMse}, "whose first dimension is the batch"},
      {{Dim::Batch(), Dim::Batch()}, {}, "[N, classes]"},
      {{Dim::Batch(), 5}, {}, "float32 outputs", DType::kInt64},
      {{Dim::Batch(), 5}, {.label_smoothing = 1}, "label_smoothing is 1"},
      {{Dim::Batch(), 5}, {.label_smoothing = std::nan("")}, "label_smoothing is nan"},
      {{Dim::Batch(), 5}, {.kind = LossKind::kMse, .label_smoothing = 0.1}, "but cross-entropy"},
  };
  for (const Refused& refused : cases) {
    Graph graph = Returning(refused.shape, refused.dtype);
    const absl::Status status = AttachLoss(graph, refused.options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(refused.text));
  }
}

TEST(AttachLoss, RefusesAModelThatHasTheNamesOfTheLoss) {
  Graph graph = Returning({Dim::Batch(), 5});
  graph.SetOutput(graph.AddNode({.name = "criterion.logsoftmax",
                                 .op = "aten::relu",
                                 .args = {{"self", ValueRef{graph.output()}}}},
                                DType::kFloat32, {Dim::Batch(), 5}));
  EXPECT_THAT(std::string(AttachLoss(graph, {}).message()), HasSubstr("Rename the module"));
}

}  // namespace
}  // namespace mantissa::planner
