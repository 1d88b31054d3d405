#include "planner/schedule/tiles.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "planner/models/builder.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kBatchSize = 10;

// conv: [N,3,8,8] -> [N,6,8,8]; bn, relu of the same shape; cat: [N,12,8,8].
class TilesTest : public testing::Test {
 protected:
  TilesTest() : graph_(Build()), tensors_(graph_) {
    formats_.resize(tensors_.tensors().size(), kernels::kHigh);
  }

  static Graph Build() {
    GraphBuilder net("small", {3, 8, 8});
    ValueId x = net.Conv("conv", net.input(), 6, {.kernel = 3, .padding = 1});
    x = net.Relu("relu", net.BatchNorm("bn", x));
    x = net.Flatten("flatten", net.Cat("cat", {x, x}));
    Graph graph = std::move(net).Finish(net.Linear("linear", x, 5));
    MANTISSA_CHECK_OK(AttachLoss(graph, {}));
    return graph;
  }

  Tiles Of(const std::string& name, const TileOptions& options) const {
    NodeId node = 0;
    while (graph_.node(node).name != name) ++node;
    const GradientRule rule = GradientRuleOf(graph_, node, NeedsGradient(graph_));
    return TilesOf(graph_, tensors_, node, rule, formats_, kBatchSize, options);
  }

  Graph graph_;
  TensorTable tensors_;
  std::vector<kernels::Format> formats_;
};

TEST_F(TilesTest, TakeAsManySamplesAsTheWidestTensorAllows) {
  // 6 * 64 floats a sample are wider than the 3 * 64 read.
  const Tiles tiles = Of("conv", {.tile_bytes = 4 * 6 * 64 * 3});
  EXPECT_EQ(tiles.axis, TileAxis::kBatch);
  EXPECT_EQ(tiles.extent, kBatchSize);
  EXPECT_EQ(tiles.size, 3);
  EXPECT_EQ(tiles.count(), 4);
  EXPECT_EQ(Of("conv", {.tile_bytes = 4 * 6 * 64 * 3 - 1}).size, 2);
  EXPECT_EQ(Of("cat", {.tile_bytes = 4 * 12 * 64 * 3}).size, 3);
}

TEST_F(TilesTest, CutBatchNormByChannelsAndReluByElements) {
  const Tiles channels = Of("bn", {.tile_bytes = 4 * kBatchSize * 64 * 2});
  EXPECT_EQ(channels.axis, TileAxis::kChannel);
  EXPECT_EQ(channels.extent, 6);
  EXPECT_EQ(channels.size, 2);
  const Tiles flat = Of("relu", {.tile_bytes = 4 * 3000});
  EXPECT_EQ(flat.axis, TileAxis::kFlat);
  EXPECT_EQ(flat.extent, kBatchSize * 6 * 64);
  EXPECT_EQ(flat.size, 2048);
}

TEST_F(TilesTest, TakeOneUnitHoweverLargeItIs) {
  EXPECT_EQ(Of("conv", {.tile_bytes = 1}).size, 1);
  EXPECT_EQ(Of("bn", {.tile_bytes = 1}).size, 1);
  EXPECT_EQ(Of("relu", {.tile_bytes = 1}).size, 1024);
}

TEST_F(TilesTest, AreNotCutSmallerThanTheParameterWhoseGradientEachOfThemMakes) {
  // A sample is 12 * 64 floats, the weight five times that.
  EXPECT_EQ(Of("linear", {.tile_bytes = 1}).size, 5);
  EXPECT_EQ(Of("linear", {.tile_bytes = 4 * 12 * 64 * 6}).size, 6);
}

TEST_F(TilesTest, NeverExceedTheExtent) {
  for (const char* name : {"conv", "bn", "relu", "cat", "linear", "criterion.logsoftmax"}) {
    const Tiles tiles = Of(name, {});
    EXPECT_EQ(tiles.size, tiles.extent) << name;
    EXPECT_EQ(tiles.count(), 1) << name;
  }
}

TEST_F(TilesTest, HoldTwiceAsManyElementsInTwoBytes) {
  const int64_t three_samples = 4 * 6 * 64 * 3;
  EXPECT_EQ(Of("conv", {.wide = kernels::kBf16, .tile_bytes = three_samples}).size, 6);
}

TEST_F(TilesTest, WhatIsStoredAsComputedIsOneTile) {
  formats_.assign(formats_.size(), kernels::kFp32);
  for (const char* name : {"conv", "bn", "relu", "cat"}) {
    EXPECT_EQ(Of(name, {.tile_bytes = 1}).count(), 1) << name;
  }
  // One packed gradient is enough.
  formats_[tensors_.Find(TensorKind::kActivationGradient, graph_.inputs()[0])] = kernels::kHigh;
  EXPECT_EQ(Of("conv", {.tile_bytes = 1}).count(), kBatchSize);
  EXPECT_EQ(Of("bn", {.tile_bytes = 1}).count(), 1);
}

TEST_F(TilesTest, ViewsAreNotCutAndTheLossAlongTheRowsOfWhatItReads) {
  EXPECT_EQ(Of("flatten", {.tile_bytes = 1}).count(), 1);
  EXPECT_EQ(Of("criterion.nllloss", {.tile_bytes = 1}).count(), kBatchSize);
}

// of_image: [N,3,2,2] -> [N,64,2,2], 1728 weights; inner: -> [N,8,2,2], 512. The widest tensor of a
// sample has 256 elements.
class InputGradientTilesTest : public testing::Test {
 protected:
  InputGradientTilesTest() : graph_(Build()), tensors_(graph_) {
    formats_.assign(tensors_.tensors().size(), kernels::kHigh);
  }

  static Graph Build() {
    GraphBuilder net("convolutions", {3, 2, 2});
    ValueId x = net.Conv("of_image", net.input(), 64, {.kernel = 3, .padding = 1});
    x = net.Flatten("flatten", net.Conv("inner", x, 8, {.kernel = 1}));
    Graph graph = std::move(net).Finish(net.Linear("linear", x, 50));
    MANTISSA_CHECK_OK(AttachLoss(graph, {}));
    return graph;
  }

  // Of all gradients, and of the input's.
  std::pair<Tiles, Tiles> Of(const std::string& name, int64_t tile_bytes) const {
    NodeId node = 0;
    while (graph_.node(node).name != name) ++node;
    const GradientRule rule = GradientRuleOf(graph_, node, NeedsGradient(graph_));
    const TileOptions options = {.tile_bytes = tile_bytes};
    return {TilesOf(graph_, tensors_, node, rule, formats_, kBatchSize, options),
            InputGradientTilesOf(graph_, tensors_, node, rule, formats_, kBatchSize, options)};
  }

  Graph graph_;
  TensorTable tensors_;
  std::vector<kernels::Format> formats_;
};

TEST_F(InputGradientTilesTest, AreSmallWhereTheWeightIsLargerThanATile) {
  const auto [all, of_input] = Of("inner", 4 * 256);
  EXPECT_EQ(all.size, 2);  // as large as the weight
  EXPECT_EQ(of_input.size, 1);
  EXPECT_EQ(of_input.axis, TileAxis::kBatch);
  EXPECT_EQ(of_input.extent, kBatchSize);
}

TEST_F(InputGradientTilesTest, AreThoseOfTheTaskWhereTheWeightIsNotLargerThanATile) {
  const auto [all, of_input] = Of("inner", 4 * 256 * 3);
  EXPECT_EQ(all.size, 3);
  EXPECT_EQ(of_input.size, 3);
}

TEST_F(InputGradientTilesTest, AreThoseOfTheTaskWhereTheInputNeedsNoGradient) {
  const auto [all, of_input] = Of("of_image", 4 * 256);
  EXPECT_EQ(all.size, 6);
  EXPECT_EQ(of_input.size, 6);
}

TEST_F(InputGradientTilesTest, AreSmallInALinearLayerToo) {
  // 50 outputs a sample, 1600 weights.
  const auto [all, of_input] = Of("linear", 1);
  EXPECT_EQ(all.size, kBatchSize);
  EXPECT_EQ(of_input.size, 1);
}

// What each node of a small attention is cut into, of 10 samples one by one.
TEST(TilesOfTransformers, AreSamplesWhereAllThatIsReadHasSamplesOrIsFixed) {
  Graph graph("attention");
  const Shape tokens = {Dim::Batch(), 7};
  const ValueId ids = graph.AddInput("ids", DType::kInt64, tokens);
  const ValueId table = graph.AddParameter("table", {4, 8});
  const ValueId mask = graph.AddConstant("mask", DType::kFloat32, {1, 7, 7});
  const Shape rows = {Dim::Batch(), 7, 8}, scores = {Dim::Batch(), 7, 7};
  const auto add = [&](const char* name, const char* op, std::vector<Argument> args, Shape shape) {
    return graph.AddNode({.name = name, .op = op, .args = std::move(args)}, DType::kFloat32,
                         std::move(shape));
  };
  const auto ref = [](ValueId id) { return ValueRef{id}; };
  const ValueId x =
      add("embedding", "aten::embedding", {{"weight", ref(table)}, {"indices", ref(ids)}}, rows);
  const ValueId norm = add("norm", "aten::layer_norm", {{"input", ref(x)}}, rows);
  const ValueId product =
      add("product", "aten::matmul", {{"self", ref(norm)}, {"other", ref(x)}}, scores);
  const ValueId masked =
      add("masked", "aten::add", {{"self", ref(product)}, {"other", ref(mask)}}, scores);
  add("softmax", "aten::softmax", {{"self", ref(masked)}, {"dim", int64_t{-1}}}, scores);
  add("over_samples", "aten::softmax", {{"self", ref(masked)}, {"dim", int64_t{0}}}, scores);
  // One standardised weight for all samples has a gradient of its own, which no tile has.
  const ValueId scale = add("scale", "aten::sigmoid", {{"self", ref(table)}}, {4, 8});
  add("scaled", "aten::linear", {{"input", ref(x)}, {"weight", ref(scale)}}, {Dim::Batch(), 7, 4});
  const TensorTable tensors(graph);
  const std::vector<kernels::Format> formats(tensors.tensors().size(), kernels::kHigh);
  const std::map<std::string, int64_t> counts = {{"embedding", kBatchSize},
                                                 {"norm", kBatchSize},
                                                 {"product", kBatchSize},
                                                 {"masked", kBatchSize},
                                                 {"softmax", kBatchSize},
                                                 {"over_samples", 1},
                                                 {"scale", 1},
                                                 {"scaled", 1}};
  for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes().size()); ++node) {
    const GradientRule rule = GradientRuleOf(graph, node, NeedsGradient(graph));
    EXPECT_EQ(TilesOf(graph, tensors, node, rule, formats, kBatchSize, {.tile_bytes = 1}).count(),
              counts.at(graph.node(node).name))
        << graph.node(node).name;
  }
}

}  // namespace
}  // namespace mantissa::planner
