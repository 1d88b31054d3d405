#include "planner/graph/tensors.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;

// input [N,6] -> relu -> view -> linear (theta: w, seen through a transposed view) -> relu_
class TensorsTest : public testing::Test {
 protected:
  TensorsTest() : graph_("toy") {
    input_ = graph_.AddInput("input", DType::kFloat32, {Dim::Batch(), 6});
    ids_ = graph_.AddInput("ids", DType::kInt64, {Dim::Batch()});
    relu_ =
        graph_.AddNode({.name = "relu", .op = "aten::relu", .args = {{"self", ValueRef{input_}}}},
                       DType::kFloat32, {Dim::Batch(), 6});
    view_ =
        graph_.AddNode({.name = "view", .op = "aten::view", .args = {{"self", ValueRef{relu_}}}},
                       DType::kFloat32, {Dim::Batch(2), 3}, relu_);
    weight_ = graph_.AddParameter("linear.weight", {4, 3});
    transposed_ =
        graph_.AddNode({.name = "t", .op = "aten::t", .args = {{"self", ValueRef{weight_}}}},
                       DType::kFloat32, {3, 4}, weight_);
    bias_ = graph_.AddParameter("linear.bias", {4});
    linear_ = graph_.AddNode({.name = "linear",
                              .op = "aten::addmm",
                              .args = {{"self", ValueRef{bias_}},
                                       {"mat1", ValueRef{view_}},
                                       {"mat2", ValueRef{transposed_}}}},
                             DType::kFloat32, {Dim::Batch(2), 4});
    in_place_ = graph_.AddNode(
        {.name = "relu_", .op = "aten::relu_", .args = {{"self", ValueRef{linear_}}}},
        DType::kFloat32, {Dim::Batch(2), 4}, linear_);
    argmax_ = graph_.AddNode(
        {.name = "argmax", .op = "aten::argmax", .args = {{"self", ValueRef{in_place_}}}},
        DType::kInt64, {Dim::Batch(2)});
  }

  std::vector<std::string> Names(const TensorTable& table, TensorKind kind) const {
    std::vector<std::string> names;
    for (const Tensor& tensor : table.tensors()) {
      if (tensor.kind == kind) names.push_back(tensor.name);
    }
    return names;
  }

  Graph graph_;
  ValueId input_, ids_, relu_, view_, weight_, transposed_, bias_, linear_, in_place_, argmax_;
};

TEST_F(TensorsTest, ShapeOnlyOperatorsAndIntegersMakeNoTensor) {
  const TensorTable table(graph_);
  EXPECT_THAT(Names(table, TensorKind::kActivation),
              ElementsAre("input", "relu", "linear", "relu_"));
  EXPECT_THAT(Names(table, TensorKind::kParameterGradient),
              ElementsAre("linear.bias", "linear.weight"));
  EXPECT_EQ(table.Find(TensorKind::kActivation, view_), -1);
  EXPECT_EQ(table.Find(TensorKind::kActivation, ids_), -1);
  EXPECT_EQ(table.Find(TensorKind::kActivation, argmax_), -1);
  EXPECT_EQ(table.Find(TensorKind::kActivation, kNoValue), -1);
}

TEST_F(TensorsTest, ProducersAreSeenThroughViews) {
  const TensorTable table(graph_);
  EXPECT_EQ(table.FindProduced(view_), table.Find(TensorKind::kActivation, relu_));
  EXPECT_EQ(table.Resolve(transposed_), weight_);
  EXPECT_EQ(table.FindProduced(weight_), -1);
}

TEST_F(TensorsTest, InPlaceOperatorsMakeATensorOfTheirOwn) {
  const TensorTable table(graph_);
  EXPECT_FALSE(IsShapeOnly(graph_, graph_.node(graph_.value(in_place_).producer)));
  EXPECT_TRUE(IsInPlace(graph_.node(graph_.value(in_place_).producer)));
  EXPECT_NE(table.Find(TensorKind::kActivation, in_place_),
            table.Find(TensorKind::kActivation, linear_));
  EXPECT_EQ(ResolveAlias(graph_, in_place_), linear_);
}

TEST_F(TensorsTest, ParametersBelongToTheGroupOfTheirOperatorsInput) {
  const TensorTable table(graph_);
  EXPECT_EQ(table.group_count(), 2);
  for (const Tensor& tensor : table.tensors()) {
    const bool computed_late = tensor.name == "linear" || tensor.name == "relu_";
    EXPECT_EQ(tensor.group, computed_late ? 1 : 0) << tensor.name;
  }
  // Group 0: v of input and relu, dv of the input (3 * 6 N), theta and dtheta (2 * 16). Group 1:
  // 4 * 8 N.
  EXPECT_THAT(table.GroupElements(5), ElementsAre(3 * 6 * 5 + 2 * 16, 4 * 8 * 5));
}

TEST_F(TensorsTest, AreSortedByGroupThenKindThenExecutionOrder) {
  const TensorTable table(graph_);
  std::vector<std::string> names;
  for (const Tensor& tensor : table.tensors()) names.push_back(tensor.name);
  EXPECT_THAT(names,
              ElementsAre("input", "relu", "linear.bias", "linear.weight", "input", "linear.bias",
                          "linear.weight", "linear", "relu_", "linear", "relu_"));
}

TEST(TensorTable, GivesASharedParameterToItsFirstReader) {
  Graph graph("tied");
  const ValueId x = graph.AddInput("input", DType::kFloat32, {Dim::Batch(), 3});
  const ValueId weight = graph.AddParameter("weight", {3, 3});
  const ValueId unused = graph.AddParameter("unused", {3});
  ValueId y = x;
  for (const char* name : {"first", "second"}) {
    y = graph.AddNode(
        {.name = name,
         .op = "aten::linear",
         .args = {{"input", ValueRef{y}}, {"weight", ValueRef{weight}}, {"bias", {}}}},
        DType::kFloat32, {Dim::Batch(), 3});
  }
  const TensorTable table(graph);
  EXPECT_EQ(table.tensors()[table.Find(TensorKind::kParameter, weight)].group, 0);
  EXPECT_THAT(table.GroupElements(1), ElementsAre(2 * 3 + 2 * 9, 2 * 3, 2 * 3));
  EXPECT_EQ(table.Find(TensorKind::kParameter, unused), -1);
}

}  // namespace
}  // namespace mantissa::planner
