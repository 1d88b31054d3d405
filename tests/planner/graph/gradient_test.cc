#include "planner/graph/gradient.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/operators.h"
#include "planner/models/builder.h"
#include "planner/models/models.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

// A network that has every operator of the table.
class GradientTest : public testing::Test {
 protected:
  GradientTest() : graph_(Build()), needs_gradient_(NeedsGradient(graph_)) {}

  static Graph Build() {
    GraphBuilder net("all", {3, 8, 8});
    const ValueId conv1 = net.Conv("conv1", net.input(), 4, {.kernel = 3, .padding = 1});
    const ValueId relu = net.Relu("relu", net.BatchNorm("bn", conv1));
    const ValueId conv2 = net.Conv("conv2", relu, 4, {.bias = true});
    const ValueId cat = net.Cat("cat", {net.Add("add", relu, conv2), relu});
    const ValueId shuffled = net.Shuffle("shuffle", cat, 2);
    const ValueId slice = net.SliceChannels("slice", shuffled, 0, 4);
    const ValueId pooled = net.AvgPool("average", net.MaxPool2("max", slice), 4, 4);
    Graph graph = std::move(net).Finish(net.Linear("linear", net.Flatten("flatten", pooled), 10));
    AttachClassificationLoss(graph, 0);
    return graph;
  }

  NodeId NodeOf(const std::string& name) const {
    for (NodeId node = 0; node < static_cast<NodeId>(graph_.nodes().size()); ++node) {
      if (graph_.node(node).name == name) return node;
    }
    ADD_FAILURE() << name;
    return 0;
  }
  GradientRule RuleOf(const std::string& name) const {
    return GradientRuleOf(graph_, NodeOf(name), needs_gradient_);
  }
  std::vector<std::string> ReadsOf(const std::string& name) const {
    std::vector<std::string> names;
    for (const ValueId read : RuleOf(name).reads) names.push_back(graph_.value(read).name);
    return names;
  }

  Graph graph_;
  std::vector<bool> needs_gradient_;
};

TEST_F(GradientTest, EveryOperatorOfTheTableHasItsKindAndAxis) {
  const std::map<std::string, std::pair<GradientKind, TileAxis>> expected = {
      {"conv1", {GradientKind::kConvolution, TileAxis::kBatch}},
      {"bn", {GradientKind::kBatchNorm, TileAxis::kChannel}},
      {"relu", {GradientKind::kRelu, TileAxis::kFlat}},
      {"add", {GradientKind::kAdd, TileAxis::kFlat}},
      {"cat", {GradientKind::kCat, TileAxis::kBatch}},
      {"shuffle.permute", {GradientKind::kView, TileAxis::kNone}},
      {"slice", {GradientKind::kSlice, TileAxis::kBatch}},
      {"max", {GradientKind::kMaxPool, TileAxis::kBatch}},
      {"average", {GradientKind::kAveragePool, TileAxis::kBatch}},
      {"flatten", {GradientKind::kView, TileAxis::kNone}},
      {"linear", {GradientKind::kLinear, TileAxis::kBatch}},
      {"criterion.logsoftmax", {GradientKind::kLogSoftmax, TileAxis::kBatch}},
      {"criterion.nllloss", {GradientKind::kNllLoss, TileAxis::kNone}},
  };
  for (const auto& [name, rule] : expected) {
    EXPECT_EQ(RuleOf(name).kind, rule.first) << name;
    EXPECT_EQ(RuleOf(name).axis, rule.second) << name;
  }
}

TEST_F(GradientTest, BackwardReadsWhatTheDerivativeNeedsAndNoMore) {
  // The image's gradient is not computed, so its convolution does not read its weight.
  EXPECT_THAT(ReadsOf("conv1"), ElementsAre("input"));
  EXPECT_THAT(ReadsOf("conv2"), ElementsAre("relu", "conv2.weight"));
  EXPECT_THAT(ReadsOf("bn"), ElementsAre("conv1", "bn.weight"));
  EXPECT_THAT(ReadsOf("linear"), ElementsAre("flatten", "linear.weight"));
  EXPECT_THAT(ReadsOf("criterion.logsoftmax"), ElementsAre("criterion.logsoftmax"));
  for (const char* name : {"relu", "add", "cat", "shuffle.reshape", "slice", "max", "average",
                           "flatten", "criterion.nllloss"}) {
    EXPECT_THAT(ReadsOf(name), IsEmpty()) << name;
  }
}

TEST_F(GradientTest, KeepsABitForReluAByteForMaxPoolAndStatisticsForBatchNorm) {
  const auto kept = [&](const std::string& name, int64_t batch_size) {
    return KeptBytes(graph_, NodeOf(name), RuleOf(name), batch_size);
  };
  EXPECT_EQ(kept("relu", 5), 5 * 4 * 8 * 8 / 8);
  EXPECT_EQ(kept("max", 5), 5 * 4 * 4 * 4);
  EXPECT_EQ(kept("bn", 5), 2 * 4 * 4);
  EXPECT_EQ(kept("conv1", 5), 0);
  EXPECT_EQ(kept("criterion.logsoftmax", 5), 0);
}

TEST_F(GradientTest, FlowsToParametersAndWhatIsComputedFromThem) {
  EXPECT_FALSE(needs_gradient_[graph_.inputs()[0]]);
  EXPECT_FALSE(needs_gradient_[graph_.target()]);
  for (const ValueId buffer : graph_.buffers()) EXPECT_FALSE(needs_gradient_[buffer]);
  for (const ValueId parameter : graph_.parameters()) EXPECT_TRUE(needs_gradient_[parameter]);
  EXPECT_TRUE(needs_gradient_[graph_.loss()]);
}

TEST(GradientRuleOf, BuiltinModelsNeedNoReplay) {
  for (const ModelInfo& info : BuiltinModels()) {
    Graph graph = BuildModel({.name = info.name}).value();
    AttachClassificationLoss(graph, 0.1);
    const std::vector<bool> needs_gradient = NeedsGradient(graph);
    for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes().size()); ++node) {
      EXPECT_NE(GradientRuleOf(graph, node, needs_gradient).kind, GradientKind::kReplay)
          << info.name << " " << graph.node(node).name;
    }
  }
}

// Each differs from an operator of the table in one argument.
class UncoveredTest : public testing::TestWithParam<Node> {};

TEST_P(UncoveredTest, OperatorsOutsideTheTableAreReplayedOnAllTheirInputs) {
  Graph graph("one");
  const Shape shape = {Dim::Batch(), 4, 8, 8};
  graph.AddInput("x", DType::kFloat32, shape);      // value 0
  graph.AddParameter("weight", {4});                // value 1
  graph.AddInput("y", DType::kFloat32, {4, 8, 8});  // value 2
  graph.AddNode(GetParam(), DType::kFloat32, shape);
  const GradientRule rule = GradientRuleOf(graph, 0, NeedsGradient(graph));
  EXPECT_EQ(rule.kind, GradientKind::kReplay);
  EXPECT_EQ(rule.axis, TileAxis::kNone);
  const std::vector<ValueId> inputs = TensorInputs(graph, 0);
  EXPECT_THAT(rule.reads, UnorderedElementsAreArray(std::set(inputs.begin(), inputs.end())));
}

INSTANTIATE_TEST_SUITE_P(
    Operators, UncoveredTest,
    testing::Values(
        Node{.name = "sigmoid", .op = "aten::sigmoid", .args = {{"self", ValueRef{0}}}},
        // Weighted sum.
        Node{.name = "alpha",
             .op = "aten::add",
             .overload = "Tensor",
             .args = {{"self", ValueRef{0}}, {"other", ValueRef{0}}, {"alpha", int64_t{2}}}},
        // Broadcast sum.
        Node{.name = "broadcast",
             .op = "aten::add",
             .overload = "Tensor",
             .args = {{"self", ValueRef{0}}, {"other", ValueRef{2}}}},
        // Fixed statistics.
        Node{.name = "frozen",
             .op = "aten::batch_norm",
             .args = {{"input", ValueRef{0}}, {"weight", ValueRef{1}}, {"training", false}}},
        // An index that a byte does not hold.
        Node{.name = "large_window",
             .op = "aten::max_pool2d",
             .args = {{"self", ValueRef{0}}, {"kernel_size", std::vector<int64_t>{32, 32}}}},
        Node{.name = "padding_by_name",
             .op = "aten::conv2d",
             .overload = "padding",
             .args = {{"input", ValueRef{0}},
                      {"weight", ValueRef{1}},
                      {"padding", std::string("same")}}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mantissa::planner
