#include "planner/graph/tensors.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
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
  EXPECT_EQ(graph_.value(in_place_).alias_of, linear_);
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

// A language model of one block, with tied weights: what takes part, and the groups that
// docs/grouping.md gives it, written out by hand.
class LanguageModelTest : public testing::Test {
 protected:
  LanguageModelTest() : graph_("language") {
    const Shape tokens = {Dim::Batch(), 5}, rows = {Dim::Batch(), 5, 8};
    const Shape scores = {Dim::Batch(), 5, 5};
    const ValueId ids = graph_.AddInput("ids", DType::kInt64, tokens);
    const ValueId table = graph_.AddParameter("wte.weight", {50, 8});
    const ValueId places = graph_.AddParameter("wpe.weight", {5, 8});
    const ValueId positions =
        Add("arange", "aten::arange", {{"end", int64_t{5}}}, {5}, DType::kInt64);
    const ValueId ones = Add("ones", "aten::ones", {}, {5, 5});
    const ValueId mask = Add("tril", "aten::tril", {Self(ones)}, {5, 5});
    const ValueId wte = Add("wte", "aten::embedding",
                            {{"weight", ValueRef{table}}, {"indices", ValueRef{ids}}}, rows);
    const ValueId wpe =
        Add("wpe", "aten::embedding",
            {{"weight", ValueRef{places}}, {"indices", ValueRef{positions}}}, {5, 8});
    const ValueId x = Add("add", "aten::add", {Self(wte), Other(wpe)}, rows);
    const ValueId norm =
        Add("ln", "aten::layer_norm",
            {{"input", ValueRef{x}}, {"weight", ValueRef{graph_.AddParameter("ln.weight", {8})}}},
            rows);
    const ValueId qkv = Add("qkv", "aten::linear",
                            {{"input", ValueRef{norm}},
                             {"weight", ValueRef{graph_.AddParameter("qkv.weight", {24, 8})}}},
                            {Dim::Batch(), 5, 24});
    const std::vector<ValueId> split = graph_.AddNode(
        {.name = "split", .op = "aten::split", .args = {Self(qkv)}},
        {Graph::Output{DType::kFloat32, rows}, std::nullopt, Graph::Output{DType::kFloat32, rows}});
    const ValueId turned =
        graph_.AddNode({.name = "k.t", .op = "aten::transpose", .args = {Self(split[0])}},
                       DType::kFloat32, {Dim::Batch(), 8, 5}, split[0]);
    const ValueId qk = Add("qk", "aten::matmul", {Self(split[0]), Other(turned)}, scores);
    const ValueId masked = Add("masked", "aten::mul", {Self(qk), Other(mask)}, scores);
    const ValueId softmax = Add("softmax", "aten::softmax", {Self(masked)}, scores);
    const ValueId av = Add("av", "aten::matmul", {Self(softmax), Other(split[2])}, rows);
    const ValueId stopped = graph_.AddNode(
        {.name = "detach", .op = "aten::detach", .args = {Self(av)}}, DType::kFloat32, rows, av);
    const ValueId scale = Add("scale", "aten::sigmoid", {Self(stopped)}, rows);
    const ValueId y = Add("gated", "aten::mul", {Self(av), Other(scale)}, rows);
    graph_.SetOutput(Add("head", "aten::linear",
                         {{"input", ValueRef{y}}, {"weight", ValueRef{table}}},
                         {Dim::Batch(), 5, 50}));
  }

  static Argument Self(ValueId value) { return {"self", ValueRef{value}}; }
  static Argument Other(ValueId value) { return {"other", ValueRef{value}}; }
  ValueId Add(const char* name, const char* op, std::vector<Argument> args, const Shape& shape,
              DType dtype = DType::kFloat32) {
    return graph_.AddNode({.name = name, .op = op, .args = std::move(args)}, dtype, shape);
  }
  std::map<std::string, int> GroupsOf(TensorKind kind) const {
    const TensorTable table(graph_);
    std::map<std::string, int> groups;
    for (const Tensor& tensor : table.tensors()) {
      if (tensor.kind == kind) groups[tensor.name] = tensor.group;
    }
    return groups;
  }

  Graph graph_;
};

TEST_F(LanguageModelTest, EveryProductAndEmbeddingStartsAGroup) {
  // Masks and positions follow from no parameter.
  EXPECT_EQ(GroupsOf(TensorKind::kActivation), (std::map<std::string, int>{{"wte", 0},
                                                                           {"wpe", 1},
                                                                           {"add", 1},
                                                                           {"ln", 1},
                                                                           {"qkv", 2},
                                                                           {"split.0", 2},
                                                                           {"split.2", 2},
                                                                           {"qk", 3},
                                                                           {"masked", 3},
                                                                           {"softmax", 3},
                                                                           {"av", 4},
                                                                           {"scale", 4},
                                                                           {"gated", 4},
                                                                           {"head", 5}}));
  EXPECT_EQ(TensorTable(graph_).group_count(), 6);
}

TEST_F(LanguageModelTest, ParametersAreWhereTheirFirstReaderTakesItsInputFrom) {
  const std::map<std::string, int> expected = {
      {"wte.weight", 0}, {"wpe.weight", 1}, {"ln.weight", 1}, {"qkv.weight", 1}};
  EXPECT_EQ(GroupsOf(TensorKind::kParameter), expected);
  EXPECT_EQ(GroupsOf(TensorKind::kParameterGradient), expected);
}

TEST_F(LanguageModelTest, NoGradientIsBehindADetachOrOfAFrozenParameter) {
  graph_.Freeze(graph_.parameters()[1]);  // wpe
  EXPECT_FALSE(GroupsOf(TensorKind::kActivationGradient).contains("scale"));
  EXPECT_FALSE(GroupsOf(TensorKind::kActivationGradient).contains("wpe"));
  EXPECT_TRUE(GroupsOf(TensorKind::kActivationGradient).contains("av"));
  EXPECT_FALSE(GroupsOf(TensorKind::kParameterGradient).contains("wpe.weight"));
  EXPECT_TRUE(GroupsOf(TensorKind::kParameter).contains("wpe.weight"));
  EXPECT_TRUE(GroupsOf(TensorKind::kActivation).contains("wpe"));
}

}  // namespace
}  // namespace mantissa::planner
