#include "planner/graph/gradient.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
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
    MANTISSA_CHECK_OK(AttachLoss(graph, {}));
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
      {"criterion.nllloss", {GradientKind::kNllLoss, TileAxis::kBatch}},
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
  EXPECT_THAT(ReadsOf("criterion.nllloss"), ElementsAre("target"));
  for (const char* name :
       {"relu", "add", "cat", "shuffle.reshape", "slice", "max", "average", "flatten"}) {
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
    MANTISSA_CHECK_OK(AttachLoss(graph, {.label_smoothing = 0.1}));
    const std::vector<bool> needs_gradient = NeedsGradient(graph);
    for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes().size()); ++node) {
      EXPECT_NE(GradientRuleOf(graph, node, needs_gradient).kind, GradientKind::kReplay)
          << info.name << " " << graph.node(node).name;
    }
  }
}

struct Replayed {
  Node node;
  std::vector<ValueId> reads;
  TileAxis axis = TileAxis::kBatch;
};

class ReplayTest : public testing::TestWithParam<Replayed> {};

TEST_P(ReplayTest, ReadsOnlyWhatItsGradientDependsOn) {
  Graph graph("one");
  const Shape shape = {Dim::Batch(), 4, 8, 8};
  graph.AddInput("x", DType::kFloat32, shape);                      // value 0
  graph.AddParameter("weight", {4});                                // value 1
  graph.AddInput("y", DType::kFloat32, {4, 8, 8});                  // value 2
  graph.AddParameter("theta", {4, 4, 1, 1});                        // value 3
  graph.AddInput("index", DType::kInt64, {Dim::Batch(), 4, 8, 8});  // value 4
  graph.AddNode({.name = "z",                                       // value 5
                 .op = "aten::conv2d",
                 .args = {{"input", ValueRef{0}}, {"weight", ValueRef{3}}}},
                DType::kFloat32, shape);
  graph.AddNode(GetParam().node, DType::kFloat32, shape);
  const GradientRule rule = GradientRuleOf(graph, 1, NeedsGradient(graph));
  EXPECT_EQ(rule.kind, GradientKind::kReplay);
  EXPECT_EQ(rule.axis, GetParam().axis);
  EXPECT_THAT(rule.reads, UnorderedElementsAreArray(GetParam().reads));
}

Argument Self(ValueId value) { return {"self", ValueRef{value}}; }
Argument Other(ValueId value) { return {"other", ValueRef{value}}; }

INSTANTIATE_TEST_SUITE_P(
    Operators, ReplayTest,
    testing::Values(
        Replayed{{.name = "sigmoid", .op = "aten::sigmoid", .args = {Self(0)}}, {0}},
        Replayed{{.name = "alpha",
                  .op = "aten::add",
                  .overload = "Tensor",
                  .args = {Self(0), Other(0), {"alpha", int64_t{2}}}},
                 {}},
        Replayed{{.name = "broadcast", .op = "aten::add", .args = {Self(0), Other(2)}}, {}},
        // One of the two has no gradient, so its factor is not read.
        Replayed{{.name = "product", .op = "aten::mul", .args = {Self(5), Other(0)}}, {0}},
        Replayed{{.name = "square", .op = "aten::mul", .args = {Self(5), Other(5)}}, {5}},
        Replayed{{.name = "scaled", .op = "aten::mul", .args = {Self(5), {"other", 0.5}}}, {}},
        Replayed{{.name = "quotient", .op = "aten::div", .args = {Self(5), Other(0)}}, {0}},
        Replayed{{.name = "in_place", .op = "aten::mul_", .args = {Self(5), Other(0)}}, {0}},
        // Numbers say where from.
        Replayed{{.name = "gather",
                  .op = "aten::gather",
                  .args = {Self(5), {"dim", int64_t{1}}, {"index", ValueRef{4}}}},
                 {4}},
        // Of a parameter: tiles' gradients are added up.
        Replayed{{.name = "layer_norm",
                  .op = "aten::layer_norm",
                  .args = {{"input", ValueRef{5}}, {"weight", ValueRef{1}}}},
                 {1, 5}},
        // Along the batch.
        Replayed{{.name = "along_the_batch",
                  .op = "aten::softmax",
                  .overload = "int",
                  .args = {Self(0), {"dim", int64_t{-4}}}},
                 {0},
                 TileAxis::kNone},
        Replayed{{.name = "one_dimension",
                  .op = "aten::softmax",
                  .overload = "int",
                  .args = {Self(0), {"dim", int64_t{-1}}}},
                 {0}},
        // Fixed statistics.
        Replayed{{.name = "fixed_statistics",
                  .op = "aten::batch_norm",
                  .args = {{"input", ValueRef{0}}, {"weight", ValueRef{1}}, {"training", false}}},
                 {0},
                 TileAxis::kNone},
        // An index that a byte does not hold.
        Replayed{{.name = "large_window",
                  .op = "aten::max_pool2d",
                  .args = {Self(0), {"kernel_size", std::vector<int64_t>{32, 32}}}},
                 {0}},
        Replayed{{.name = "padding_by_name",
                  .op = "aten::conv2d",
                  .overload = "padding",
                  .args = {{"input", ValueRef{0}},
                           {"weight", ValueRef{3}},
                           {"padding", std::string("same")}}},
                 {0}},
        // What is not known reads everything.
        Replayed{{.name = "unknown", .op = "aten::secret", .args = {Self(5), Other(2)}},
                 {2, 5},
                 TileAxis::kNone}),
    [](const auto& info) { return info.param.node.name; });

}  // namespace
}  // namespace mantissa::planner
