#include "planner/cost/memory.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "planner/graph/operators.h"
#include "planner/models/builder.h"
#include "planner/plan.h"

namespace mantissa::planner {
namespace {

using ::testing::AnyOf;

constexpr int64_t kBatchSize = 64;

// conv [N,4,4,4] -> relu -> flatten -> linear [N,10]; the image is [N,3,4,4].
class MemoryTest : public testing::Test {
 protected:
  MemoryTest() : graph_(Build()), tensors_(graph_), schedule_(MakeSchedule(graph_, tensors_, {})) {
    formats_.assign(tensors_.tensors().size(), kernels::kHigh);
  }

  static Graph Build() {
    GraphBuilder net("small", {3, 4, 4});
    const ValueId x =
        net.Relu("relu", net.Conv("conv", net.input(), 4, {.kernel = 3, .padding = 1}));
    Graph graph = std::move(net).Finish(net.Linear("linear", net.Flatten("flatten", x), 10));
    MANTISSA_CHECK_OK(AttachLoss(graph, {}));
    return graph;
  }

  // In the smallest tiles, so that all that a task makes is there while it computes.
  MemoryForecast Predict(MemoryOptions options = {}) const {
    if (options.tiles.tile_bytes == TileOptions().tile_bytes) options.tiles.tile_bytes = 1;
    return PredictMemory(graph_, tensors_, formats_, schedule_, kBatchSize, options);
  }
  const MemoryPoint& PointOf(const MemoryForecast& forecast, Task::Kind kind,
                             const std::string& name) const {
    for (const MemoryPoint& point : forecast.points) {
      if (point.node != kNoNode && point.kind == kind && graph_.node(point.node).name == name) {
        return point;
      }
    }
    ADD_FAILURE() << name;
    return forecast.points[0];
  }

  Graph graph_;
  TensorTable tensors_;
  Schedule schedule_;
  std::vector<kernels::Format> formats_;
};

constexpr int64_t kImage = kBatchSize * 3 * 16, kMap = kBatchSize * 4 * 16;
constexpr int64_t kConvWeight = 4 * 3 * 9, kLinearWeight = 10 * 64, kLinearBias = 10;
constexpr int64_t kParameters = kConvWeight + kLinearWeight + kLinearBias;

TEST_F(MemoryTest, CountsMastersMomentsAndLabelsAllThroughTheStep) {
  const MemoryForecast forecast =
      Predict({.moments = 2, .optimizer_state = OptimizerStateWidth::kBf16});
  ASSERT_EQ(forecast.points.size(), schedule_.tasks.size() + 1);
  for (const MemoryPoint& point : forecast.points) {
    EXPECT_EQ(point.by_kind.of(MemoryKind::kMasters), 4 * kParameters);
    EXPECT_EQ(point.by_kind.of(MemoryKind::kOptimizer), 2 * 2 * kParameters);
    EXPECT_GE(point.by_kind.of(MemoryKind::kWorkspace), 8 * kBatchSize);
  }
}

TEST_F(MemoryTest, HoldsActivationsInTheirFormatFromMakerToLastReader) {
  const MemoryForecast high = Predict();
  const auto activations = [&](Task::Kind kind, const std::string& name) {
    return PointOf(high, kind, name).by_kind.of(MemoryKind::kActivations);
  };
  const int64_t mask = kMap / 8;
  // The most is there while the batch stands in fp32 besides.
  EXPECT_EQ(activations(Task::Kind::kForward, "conv"), 2 * kImage);
  EXPECT_EQ(activations(Task::Kind::kForward, "relu"), 2 * (kImage + kMap + kMap) + mask);
  // The convolution's output has died, flatten shows the ReLU's memory.
  EXPECT_EQ(activations(Task::Kind::kForward, "flatten"), 2 * (kImage + kMap) + mask);
  EXPECT_EQ(activations(Task::Kind::kBackward, "linear"), 2 * (kImage + kMap) + mask);
  EXPECT_EQ(activations(Task::Kind::kBackward, "relu"), 2 * kImage + mask);
  EXPECT_EQ(activations(Task::Kind::kBackward, "conv"), 2 * kImage);

  formats_[tensors_.Find(TensorKind::kActivation, graph_.inputs()[0])] = kernels::kLowForward;
  EXPECT_EQ(PointOf(Predict(), Task::Kind::kBackward, "conv").by_kind.of(MemoryKind::kActivations),
            kImage);
}

TEST_F(MemoryTest, HoldsGradientsFromConsumerToProducerAndOfParametersToTheEnd) {
  const MemoryForecast forecast = Predict();
  const auto gradients = [&](const std::string& name) {
    return PointOf(forecast, Task::Kind::kBackward, name).by_kind.of(MemoryKind::kGradients);
  };
  const int64_t logits = kBatchSize * 10;
  EXPECT_EQ(gradients("criterion.logsoftmax"), 2 * 2 * logits);
  // While it computes; its weight's gradient is packed when all tiles are done.
  EXPECT_EQ(gradients("linear"), 2 * (logits + kMap));
  EXPECT_EQ(gradients("relu"), 2 * (2 * kMap + kLinearWeight + kLinearBias));
  EXPECT_EQ(gradients("conv"), 2 * (kMap + kLinearWeight + kLinearBias));
  // One after the other is unpacked and its codes dropped: the most is there at the largest.
  EXPECT_EQ(forecast.points.back().by_kind.of(MemoryKind::kGradients),
            2 * (kParameters - kConvWeight));
}

TEST_F(MemoryTest, RoundedWeightsLiveWhileAPassUsesThem) {
  // Else the most is there before the convolution, while the batch is stored.
  formats_[tensors_.Find(TensorKind::kActivation, graph_.inputs()[0])] = kernels::kFp32;
  const MemoryForecast forecast = Predict();
  const auto weights = [&](Task::Kind kind, const std::string& name) {
    return PointOf(forecast, kind, name).by_kind.of(MemoryKind::kWeights);
  };
  EXPECT_EQ(weights(Task::Kind::kForward, "conv"), 2 * kConvWeight);
  // The image's gradient is not computed: nobody reads the weight again.
  EXPECT_EQ(weights(Task::Kind::kForward, "relu"), 0);
  EXPECT_EQ(weights(Task::Kind::kForward, "linear"), 2 * (kLinearWeight + kLinearBias));
  EXPECT_EQ(weights(Task::Kind::kBackward, "linear"), 2 * kLinearWeight);
  EXPECT_EQ(weights(Task::Kind::kBackward, "relu"), 0);
}

TEST_F(MemoryTest, PlainFp32NeedsNoCopiesOfWeightsAndNothingUnpacked) {
  formats_.assign(formats_.size(), kernels::kFp32);
  const MemoryForecast forecast = Predict();
  const int64_t labels = 8 * kBatchSize;
  for (const MemoryPoint& point : forecast.points) {
    EXPECT_EQ(point.by_kind.of(MemoryKind::kWeights), 0);
  }
  const MemoryByKind& relu = PointOf(forecast, Task::Kind::kForward, "relu").by_kind;
  EXPECT_EQ(relu.of(MemoryKind::kWorkspace), labels);
  // The image's values are the batch's.
  EXPECT_EQ(relu.of(MemoryKind::kActivations), 4 * (kImage + 2 * kMap) + kMap / 8);
}

TEST_F(MemoryTest, EmulatedStorageTakesFourBytesButTheSameTiles) {
  const MemoryForecast packed = Predict(), emulated = Predict({.packed = false});
  const auto at = [&](const MemoryForecast& forecast) {
    return PointOf(forecast, Task::Kind::kBackward, "relu").by_kind;
  };
  EXPECT_EQ(at(emulated).of(MemoryKind::kGradients), 2 * at(packed).of(MemoryKind::kGradients));
  EXPECT_EQ(at(emulated).of(MemoryKind::kWorkspace), at(packed).of(MemoryKind::kWorkspace));
}

TEST_F(MemoryTest, CountsTheRightPredictionsInTilesAndHoldsLossesToTheEnd) {
  const int64_t labels = 8 * kBatchSize, results = 2 * 4 + 2 * 8;
  const auto workspace = [&](Task::Kind kind, const std::string& name, int64_t tile_bytes) {
    return PointOf(Predict({.tiles = {.tile_bytes = tile_bytes}}), kind, name)
        .by_kind.of(MemoryKind::kWorkspace);
  };
  // A view needs nothing for itself.
  EXPECT_EQ(workspace(Task::Kind::kForward, "flatten", 1), labels);
  // Tiles of a sample.
  EXPECT_EQ(workspace(Task::Kind::kForward, "criterion.logsoftmax", 1), labels + 4 * (10 + 10));
  // Ten logits of a sample, the largest of them and whether it is right; then of three samples.
  EXPECT_EQ(workspace(Task::Kind::kForward, "criterion.nllloss", 1), labels + results + 4 * 10 + 9);
  EXPECT_EQ(workspace(Task::Kind::kForward, "criterion.nllloss", 3 * 4 * 10),
            labels + results + 3 * (4 * 10 + 9));
  EXPECT_EQ(workspace(Task::Kind::kBackward, "flatten", 1), labels + results);
}

TEST_F(MemoryTest, SmallerTilesNeedLessWorkspace) {
  const auto workspace = [&](int64_t tile_bytes) {
    return PointOf(Predict({.tiles = {.tile_bytes = tile_bytes}}), Task::Kind::kForward, "conv")
        .by_kind.of(MemoryKind::kWorkspace);
  };
  EXPECT_LT(workspace(4 * 4 * 16), workspace(4 * 4 * 16 * kBatchSize));
}

TEST_F(MemoryTest, PeakIsTheLargestPointAndSavedIsWhatForwardLeaves) {
  const MemoryForecast forecast = Predict();
  int64_t largest = 0;
  for (const MemoryPoint& point : forecast.points) {
    largest = std::max(largest, point.by_kind.total());
  }
  EXPECT_EQ(forecast.peak_bytes, largest);
  EXPECT_EQ(forecast.points[forecast.peak].by_kind.total(), largest);
  EXPECT_EQ(forecast.saved_for_backward_bytes, 2 * (kImage + kMap + kBatchSize * 10) + kMap / 8);
}

// The model adds up spans; this walks the schedule with a set of what is alive instead, with or
// without what the task makes: a task of one tile has packed nothing while it computes.
int64_t ActivationsAlive(const Plan& plan, size_t task, bool with_outputs) {
  std::set<ValueId> alive(plan.graph.inputs().begin(), plan.graph.inputs().end());
  std::set<NodeId> kept;
  for (size_t i = 0; i <= task; ++i) {
    const Task& t = plan.schedule.tasks[i];
    if (t.kind != Task::Kind::kBackward && (i < task || with_outputs)) {
      for (const ValueId output : plan.graph.node(t.node).outputs) alive.insert(output);
    }
    if (t.kind == Task::Kind::kForward) kept.insert(t.node);
    if (i == task) break;
    for (const ValueId value : t.release_values) alive.erase(value);
    for (const NodeId node : t.release_kept) kept.erase(node);
  }
  int64_t bytes = 0;
  // What views show is alive with them.
  std::set<ValueId> shown;
  for (const ValueId value : alive) shown.insert(plan.tensors.Resolve(value));
  for (const ValueId value : shown) {
    const int v = plan.tensors.Find(TensorKind::kActivation, value);
    bytes += plan.tensors.tensors()[v].Elements(plan.request.batch_size) *
             plan.assignment.formats[v].bytes();
  }
  for (const NodeId node : kept) {
    bytes += KeptBytes(plan.graph, node, plan.schedule.rules[node], plan.request.batch_size);
  }
  return bytes;
}

TEST(PredictMemory, AgreesWithASetOfWhatIsAliveWhileOperatorsAreRecomputed) {
  for (const char* model : {"resnet18", "mobilenet_v2", "squeezenet"}) {
    const Plan plan = MakePlan({.model = {.name = model},
                                .precision = {.low_ratio = 0.6},
                                .batch_size = 128,
                                .recompute = Recompute::kCheap})
                          .value();
    ASSERT_GT(plan.schedule.tasks.size(), 2 * plan.graph.nodes().size()) << "nothing recomputed";
    for (size_t task = 0; task < plan.schedule.tasks.size(); ++task) {
      EXPECT_THAT(plan.memory.points[task].by_kind.of(MemoryKind::kActivations),
                  AnyOf(ActivationsAlive(plan, task, true), ActivationsAlive(plan, task, false)))
          << model << " task " << task;
    }
  }
}

TEST(MemoryModel, GivesTheSameTotalsAsItsForecast) {
  const Plan plan = MakePlan({.model = {.name = "shufflenet_v2", .width = 0.25}}).value();
  const MemoryModel model(plan.graph, plan.tensors, plan.schedule, 16, {});
  const MemoryForecast forecast = model.Predict(plan.assignment.formats);
  const std::vector<int64_t> totals = model.TotalBytes(plan.assignment.formats);
  ASSERT_EQ(totals.size(), forecast.points.size());
  for (size_t i = 0; i < totals.size(); ++i)
    EXPECT_EQ(totals[i], forecast.points[i].by_kind.total());
  EXPECT_EQ(model.PeakBytes(plan.assignment.formats), forecast.peak_bytes);
}

// A shuffled map is a copy: the concatenation that it shows and the copy are both there once.
TEST(PredictMemory, CountsTheCopyThatAShuffleMakes) {
  GraphBuilder net("shuffled", {4, 2, 2});
  const ValueId x = net.Conv("conv", net.input(), 4, {});
  const ValueId shuffled = net.Shuffle("shuffle", net.Cat("cat", {x, x}), 2);
  Graph graph =
      std::move(net).Finish(net.Flatten("flatten", net.Conv("conv2", shuffled, 3, {.kernel = 2})));
  MANTISSA_CHECK_OK(AttachLoss(graph, {}));
  const TensorTable tensors(graph);
  const std::vector<kernels::Format> formats(tensors.tensors().size(), kernels::kLowForward);
  const MemoryForecast forecast =
      PredictMemory(graph, tensors, formats, MakeSchedule(graph, tensors, {}), 1, {});
  const auto activations = [&](const std::string& name) {
    size_t task = 0;
    while (graph.node(forecast.points[task].node).name != name) ++task;
    return forecast.points[task].by_kind.of(MemoryKind::kActivations);
  };
  // The image is 16 bytes, the concatenation 32.
  EXPECT_EQ(activations("shuffle.view"), 16 + 32);
  EXPECT_EQ(activations("shuffle.permute"), 16 + 32 + 32);
  EXPECT_EQ(activations("shuffle.reshape"), 16 + 32);
}

// Two linear layers of one weight; the first bias is frozen. A constant is added to the input.
class GeneralGraphTest : public testing::Test {
 protected:
  GeneralGraphTest() : graph_("general") {
    const Shape rows = {Dim::Batch(), kSize};
    const ValueId x = graph_.AddInput("x", DType::kFloat32, rows);
    const ValueId ids = graph_.AddInput("ids", DType::kInt64, {Dim::Batch()});
    const ValueId table = graph_.AddConstant("table", DType::kFloat32, {kRows, kSize});
    const ValueId weight = graph_.AddParameter("weight", {kSize, kSize});
    const ValueId bias = graph_.AddParameter("bias", {kSize});
    graph_.Freeze(bias);
    const ValueId positions = Add("positions", "aten::embedding",
                                  {{"weight", ValueRef{table}}, {"indices", ValueRef{ids}}}, rows);
    ValueId y =
        Add("add", "aten::add", {{"self", ValueRef{x}}, {"other", ValueRef{positions}}}, rows);
    for (const char* name : {"first", "second"}) {
      y = Add(name, "aten::linear",
              {{"input", ValueRef{y}}, {"weight", ValueRef{weight}}, {"bias", ValueRef{bias}}},
              rows);
    }
    graph_.SetOutput(y);
    MANTISSA_CHECK_OK(AttachLoss(graph_, {.kind = LossKind::kMse}));
  }

  ValueId Add(const char* name, const char* op, std::vector<Argument> args, const Shape& shape) {
    return graph_.AddNode({.name = name, .op = op, .args = std::move(args)}, DType::kFloat32,
                          shape);
  }

  MemoryByKind At(Task::Kind kind, const std::string& name, MemoryOptions options = {}) const {
    const TensorTable tensors(graph_);
    const std::vector<kernels::Format> formats(tensors.tensors().size(), kernels::kHigh);
    const Schedule schedule = MakeSchedule(graph_, tensors, {});
    options.tiles.tile_bytes = 1;
    const MemoryForecast forecast =
        PredictMemory(graph_, tensors, formats, schedule, kBatchSize, options);
    for (const MemoryPoint& point : forecast.points) {
      const bool is_update = point.node == kNoNode && name.empty();
      const bool is_node =
          point.node != kNoNode && point.kind == kind && graph_.node(point.node).name == name;
      if (is_update || is_node) return point.by_kind;
    }
    ADD_FAILURE() << name;
    return {};
  }

  static constexpr int64_t kSize = 6, kRows = 100;
  static constexpr int64_t kWeight = kSize * kSize, kActivation = kBatchSize * kSize;
  Graph graph_;
};

TEST_F(GeneralGraphTest, HoldsConstantsAndFrozenParametersButNoMomentsOfThem) {
  const MemoryByKind point = At(Task::Kind::kForward, "second", {.moments = 2});
  EXPECT_EQ(point.of(MemoryKind::kMasters), 4 * (kRows * kSize + kWeight + kSize));
  EXPECT_EQ(point.of(MemoryKind::kOptimizer), 2 * 4 * kWeight);
  // Both are rounded.
  EXPECT_EQ(point.of(MemoryKind::kWeights), 2 * (kWeight + kSize));
}

TEST_F(GeneralGraphTest, HoldsValuesThatTakeNoPartAsTheyAreComputed) {
  // x and add in 2 bytes, positions in 4 until they have been read.
  EXPECT_EQ(At(Task::Kind::kForward, "add").of(MemoryKind::kActivations),
            2 * kActivation + 4 * kActivation + 2 * kActivation);
  EXPECT_EQ(At(Task::Kind::kForward, "first").of(MemoryKind::kActivations), 2 * 2 * kActivation);
}

TEST_F(GeneralGraphTest, HoldsTheSumOfASharedGradientInFp32UntilTheLastReader) {
  // Of the layer's output and input.
  EXPECT_EQ(At(Task::Kind::kBackward, "second").of(MemoryKind::kGradients), 2 * 2 * kActivation);
  // Of its output alone, for nobody asks for that of the network's input.
  EXPECT_EQ(At(Task::Kind::kBackward, "first").of(MemoryKind::kGradients),
            2 * kActivation + 4 * kWeight);
  // At the update it is rounded, and there is none of the bias.
  EXPECT_EQ(At(Task::Kind::kBackward, "").of(MemoryKind::kGradients), 2 * kWeight);
}

TEST_F(GeneralGraphTest, HoldsSumsOfSeveralBatchesAndTheAverage) {
  const MemoryByKind plain = At(Task::Kind::kForward, "first");
  const MemoryByKind both =
      At(Task::Kind::kForward, "first", {.accumulates = true, .averages = true});
  EXPECT_EQ(both.of(MemoryKind::kGradients), plain.of(MemoryKind::kGradients) + 4 * kWeight);
  EXPECT_EQ(both.of(MemoryKind::kMasters), plain.of(MemoryKind::kMasters) + 4 * kWeight);
  // While the gradients are added up, one is unpacked besides.
  EXPECT_EQ(At(Task::Kind::kBackward, "", {.accumulates = true}).of(MemoryKind::kGradients),
            2 * kWeight + 4 * kWeight);
}

}  // namespace
}  // namespace mantissa::planner
