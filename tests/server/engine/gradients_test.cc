// The backward pass that the engine schedules by itself, operator by operator, against LibTorch's
// autograd in double precision.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/loss.h"
#include "planner/plan.h"
#include "server/engine/graph_runner.h"
#include "server/engine/model_state.h"
#include "tests/server/engine/expect_gradients.h"
#include "tests/server/engine/random_tensors.h"

namespace mantissa::engine {
namespace {

using planner::ArgumentValue;
using planner::Dim;
using planner::GradientKind;
using planner::Graph;
using planner::Shape;
using planner::ValueId;
using planner::ValueRef;

using Ints = std::vector<int64_t>;

constexpr int64_t kBatch = 5;

class ModelGradients : public ::testing::TestWithParam<const char*> {};

TEST_P(ModelGradients, OfEveryParameterAreAutograds) {
  auto plan = planner::MakePlan({.model = {.name = GetParam(), .width = 0.1},
                                 .precision = {.policy = "none"},
                                 .batch_size = kBatch});
  MANTISSA_CHECK_OK(plan);
  auto state = InitialState(plan->graph, plan->request.model, /*seed=*/5);
  MANTISSA_CHECK_OK(state);
  // A rounding error may turn a ReLU on or off, which is one element's gradient.
  ExpectSameGradients(plan->graph, *state, {RandomTensor({kBatch, 3, 32, 32}, /*seed=*/1)},
                      RandomLabels(kBatch, 10, /*seed=*/2), /*tolerance=*/2e-2);
}

INSTANTIATE_TEST_SUITE_P(Models, ModelGradients,
                         ::testing::Values("resnet18", "mobilenet_v2", "shufflenet_v2",
                                           "squeezenet"));

// A graph around one operator: input [N, 4, 6, 6] -> 1x1 convolution -> x -> ... -> classifier.
class OperatorGraph {
 public:
  OperatorGraph() : graph_("operators") {
    const ValueId input = graph_.AddInput("input", planner::DType::kFloat32,
                                          {Dim::Batch(), int64_t{4}, int64_t{6}, int64_t{6}});
    x_ = Conv("first", input, {4, 4, 1, 1}, {4, 6, 6}, {1, 1}, {0, 0}, {1, 1}, 1);
  }

  ValueId x() const { return x_; }
  Graph& graph() { return graph_; }

  ValueId Parameter(const std::string& name, const Ints& sizes) {
    return graph_.AddParameter(name, Shape(sizes.begin(), sizes.end()));
  }

  // `sizes` without the batch.
  ValueId Node(const std::string& name, const std::string& op, const std::string& overload,
               std::vector<planner::Argument> args, const Ints& sizes,
               ValueId alias_of = planner::kNoValue) {
    Shape shape = {Dim::Batch()};
    shape.insert(shape.end(), sizes.begin(), sizes.end());
    return graph_.AddNode(
        {.name = name, .op = "aten::" + op, .overload = overload, .args = std::move(args)},
        planner::DType::kFloat32, std::move(shape), alias_of);
  }

  ValueId Conv(const std::string& name, ValueId x, const Ints& weight, const Ints& sizes,
               const Ints& stride, const Ints& padding, const Ints& dilation, int64_t groups) {
    const ValueId w = Parameter(name + ".weight", weight);
    const ValueId b = Parameter(name + ".bias", {weight[0]});
    return Node(name, "conv2d", "",
                {{"input", ValueRef{x}},
                 {"weight", ValueRef{w}},
                 {"bias", ValueRef{b}},
                 {"stride", stride},
                 {"padding", padding},
                 {"dilation", dilation},
                 {"groups", groups}},
                sizes);
  }

  ValueId Unary(const std::string& op, ValueId x) {
    return Node(op, op, "", {{"self", ValueRef{x}}}, SizesOf(x));
  }

  Ints SizesOf(ValueId value) const {
    Ints sizes;
    for (const Dim& dim : graph_.value(value).shape) {
      if (!dim.times_batch) sizes.push_back(dim.factor);
    }
    return sizes;
  }

  // A classifier of three classes on `value`, and the loss.
  Graph Finish(ValueId value, double smoothing = 0) && {
    int64_t features = 1;
    for (const int64_t size : SizesOf(value)) features *= size;
    const ValueId flat =
        Node("flatten", "flatten", "using_ints",
             {{"self", ValueRef{value}}, {"start_dim", int64_t{1}}}, {features}, value);
    const ValueId weight = Parameter("last.weight", {3, features});
    graph_.SetOutput(
        Node("last", "linear", "", {{"input", ValueRef{flat}}, {"weight", ValueRef{weight}}}, {3}));
    MANTISSA_CHECK_OK(planner::AttachLoss(graph_, {.label_smoothing = smoothing}));
    return std::move(graph_);
  }

 private:
  Graph graph_;
  ValueId x_;
};

void ExpectSameGradients(const Graph& graph, double tolerance = 1e-4) {
  ModelState state = EmptyState(graph);
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    state.parameters[i] = RandomTensor(state.parameters[i].sizes(), /*seed=*/10 + i, 0.5);
  }
  ExpectSameGradients(graph, state, {RandomTensor({kBatch, 4, 6, 6}, /*seed=*/1)},
                      RandomLabels(kBatch, 3, /*seed=*/2), tolerance);
}

// The kind by which the node of that name is differentiated.
GradientKind KindOf(const Graph& graph, const std::string& name) {
  for (planner::NodeId node = 0; node < static_cast<planner::NodeId>(graph.nodes().size());
       ++node) {
    if (graph.node(node).name == name) {
      return planner::GradientRuleOf(graph, node, planner::NeedsGradient(graph)).kind;
    }
  }
  ADD_FAILURE() << name;
  return GradientKind::kReplay;
}

// Of a graph with the operator "op", whose gradient is made as `kind` says.
void ExpectSameGradients(OperatorGraph build, ValueId y, GradientKind kind) {
  const Graph graph = std::move(build).Finish(y);
  EXPECT_EQ(KindOf(graph, "op"), kind);
  ExpectSameGradients(graph);
}

TEST(OperatorGradients, GroupedStridedDilatedConvolutionWithBias) {
  OperatorGraph build;
  const ValueId y = build.Conv("op", build.x(), {6, 2, 3, 3}, {6, 2, 2}, {2, 2}, {1, 1}, {2, 2}, 2);
  ExpectSameGradients(std::move(build), y, GradientKind::kConvolution);
}

TEST(OperatorGradients, OverlappingPaddedMaxPoolWithCeilMode) {
  OperatorGraph build;
  const ValueId y = build.Node("op", "max_pool2d", "",
                               {{"self", ValueRef{build.x()}},
                                {"kernel_size", Ints{3, 2}},
                                {"stride", Ints{2, 1}},
                                {"padding", Ints{1, 1}},
                                {"dilation", Ints{1, 2}},
                                {"ceil_mode", true}},
                               {4, 4, 6});
  ExpectSameGradients(std::move(build), y, GradientKind::kMaxPool);
}

TEST(OperatorGradients, PaddedAveragePoolThatDoesNotCountThePadding) {
  OperatorGraph build;
  const ValueId y = build.Node("op", "avg_pool2d", "",
                               {{"self", ValueRef{build.x()}},
                                {"kernel_size", Ints{3, 3}},
                                {"stride", Ints{2, 2}},
                                {"padding", Ints{1, 1}},
                                {"count_include_pad", false}},
                               {4, 3, 3});
  ExpectSameGradients(std::move(build), y, GradientKind::kAveragePool);
}

TEST(OperatorGradients, ConcatenationOfAValueWithItselfAndItsRelu) {
  OperatorGraph build;
  const ValueId relu = build.Unary("relu", build.x());
  const std::vector<ValueRef> maps = {{build.x()}, {relu}, {build.x()}};
  const ValueId y =
      build.Node("op", "cat", "", {{"tensors", maps}, {"dim", int64_t{-3}}}, {12, 6, 6});
  const Graph graph = std::move(build).Finish(y);
  EXPECT_EQ(KindOf(graph, "op"), GradientKind::kCat);
  EXPECT_EQ(KindOf(graph, "relu"), GradientKind::kRelu);
  ExpectSameGradients(graph);
}

TEST(OperatorGradients, SumOfAValueWithItselfCountsTwice) {
  OperatorGraph build;
  const ValueId y =
      build.Node("op", "add", "Tensor",
                 {{"self", ValueRef{build.x()}}, {"other", ValueRef{build.x()}}}, {4, 6, 6});
  ExpectSameGradients(std::move(build), y, GradientKind::kAdd);
}

TEST(OperatorGradients, SliceWithAStepAndOpenEnd) {
  OperatorGraph build;
  const ValueId y = build.Node("op", "slice", "Tensor",
                               {{"self", ValueRef{build.x()}},
                                {"dim", int64_t{2}},
                                {"start", int64_t{1}},
                                {"end", {}},
                                {"step", int64_t{2}}},
                               {4, 3, 6});
  ExpectSameGradients(std::move(build), y, GradientKind::kSlice);
}

TEST(OperatorGradients, BatchNormWithAndWithoutParameters) {
  for (const bool affine : {true, false}) {
    OperatorGraph build;
    ArgumentValue weight, bias;
    if (affine) {
      weight = ValueRef{build.Parameter("op.weight", {4})};
      bias = ValueRef{build.Parameter("op.bias", {4})};
    }
    const auto buffer = [&](const char* name) {
      return ValueRef{build.graph().AddBuffer(name, planner::DType::kFloat32, {int64_t{4}})};
    };
    const ValueRef mean = buffer("op.running_mean"), variance = buffer("op.running_var");
    const ValueId y = build.Node("op", "batch_norm", "",
                                 {{"input", ValueRef{build.x()}},
                                  {"weight", weight},
                                  {"bias", bias},
                                  {"running_mean", mean},
                                  {"running_var", variance},
                                  {"training", true},
                                  {"momentum", 0.1},
                                  {"eps", 1e-5},
                                  {"cudnn_enabled", true}},
                                 {4, 6, 6});
    const Graph graph = std::move(build).Finish(y);
    EXPECT_EQ(KindOf(graph, "op"), affine ? GradientKind::kBatchNorm : GradientKind::kReplay);
    ExpectSameGradients(graph);
  }
}

TEST(OperatorGradients, LinearLayerOverTheLastDimensionOfMany) {
  OperatorGraph build;
  const ValueId weight = build.Parameter("op.weight", {5, 6});
  const ValueId bias = build.Parameter("op.bias", {5});
  const ValueId y = build.Node(
      "op", "linear", "",
      {{"input", ValueRef{build.x()}}, {"weight", ValueRef{weight}}, {"bias", ValueRef{bias}}},
      {4, 6, 5});
  ExpectSameGradients(std::move(build), y, GradientKind::kLinear);
}

TEST(OperatorGradients, ViewsThatPermuteAreTurnedBack) {
  OperatorGraph build;
  const ValueId split = build.Node("split", "view", "",
                                   {{"self", ValueRef{build.x()}}, {"size", Ints{-1, 2, 2, 6, 6}}},
                                   {2, 2, 6, 6}, build.x());
  const ValueId swapped =
      build.Node("swapped", "permute", "",
                 {{"self", ValueRef{split}}, {"dims", Ints{0, 2, 4, 1, 3}}}, {2, 6, 2, 6}, split);
  const ValueId merged =
      build.Node("merged", "reshape", "",
                 {{"self", ValueRef{swapped}}, {"shape", Ints{-1, 4, 6, 6}}}, {4, 6, 6}, swapped);
  // Two consumers, so two gradients are turned back.
  const ValueId conv = build.Conv("op", merged, {4, 4, 3, 3}, {4, 6, 6}, {1, 1}, {1, 1}, {1, 1}, 1);
  const ValueId y = build.Node("sum", "add", "Tensor",
                               {{"self", ValueRef{conv}}, {"other", ValueRef{merged}}}, {4, 6, 6});
  const Graph graph = std::move(build).Finish(y);
  EXPECT_EQ(KindOf(graph, "swapped"), GradientKind::kView);
  ExpectSameGradients(graph);
}

TEST(OperatorGradients, LabelSmoothingInTheLoss) {
  OperatorGraph build;
  const ValueId y = build.Unary("relu_", build.x());
  const Graph graph = std::move(build).Finish(y, /*smoothing=*/0.2);
  EXPECT_EQ(KindOf(graph, "criterion.nllloss"), GradientKind::kNllLoss);
  EXPECT_EQ(KindOf(graph, "relu_"), GradientKind::kRelu);
  ExpectSameGradients(graph);
}

TEST(OperatorGradients, OperatorsThatTheTableLacksAreReplayed) {
  for (const char* op : {"gelu", "sigmoid", "sigmoid_", "hardtanh", "selu_"}) {
    OperatorGraph build;
    const ValueId y = build.Unary(op, build.x());
    const Graph graph = std::move(build).Finish(y);
    EXPECT_EQ(KindOf(graph, op), GradientKind::kReplay);
    ExpectSameGradients(graph);
  }
}

TEST(OperatorGradients, ReplayedOperatorsOfTwoValuesAndABroadcastParameter) {
  OperatorGraph build;
  const ValueId tanh = build.Unary("tanh", build.x());
  const ValueId product =
      build.Node("product", "mul", "Tensor",
                 {{"self", ValueRef{build.x()}}, {"other", ValueRef{tanh}}}, {4, 6, 6});
  const ValueId shift = build.Parameter("shift", {4, 1, 1});
  const ValueId y = build.Node(
      "op", "add", "Tensor",
      {{"self", ValueRef{product}}, {"other", ValueRef{shift}}, {"alpha", int64_t{2}}}, {4, 6, 6});
  ExpectSameGradients(std::move(build), y, GradientKind::kReplay);
}

TEST(OperatorGradients, AParameterReadTwiceAndThroughAViewIsSummedBeforeItIsRounded) {
  OperatorGraph build;
  const ValueId weight = build.Parameter("shared.weight", {6, 6});
  const auto linear = [&](const char* name, ValueId x, ValueId w) {
    return build.Node(name, "linear", "", {{"input", ValueRef{x}}, {"weight", ValueRef{w}}},
                      {4, 6, 6});
  };
  const ValueId turned = build.graph().AddNode(
      {.name = "turned", .op = "aten::t", .args = {{"self", ValueRef{weight}}}},
      planner::DType::kFloat32, {int64_t{6}, int64_t{6}}, weight);
  const ValueId y = linear("b", build.Unary("relu", linear("a", build.x(), weight)), turned);
  ExpectSameGradients(std::move(build).Finish(linear("c", y, weight)));
}

}  // namespace
}  // namespace mantissa::engine
