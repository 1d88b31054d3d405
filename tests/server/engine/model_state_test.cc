#include "server/engine/model_state.h"

#include <cmath>
#include <string>

#include "ATen/core/Tensor.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/zeros.h"
#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::engine {
namespace {

using ::testing::HasSubstr;

const planner::ModelOptions kModel = {.name = "resnet18", .width = 0.25, .classes = 10};

planner::Graph Resnet(int64_t classes = 10) {
  planner::ModelOptions options = kModel;
  options.classes = classes;
  auto graph = planner::BuildModel(options);
  MANTISSA_CHECK_OK(graph);
  return *std::move(graph);
}

ModelState Start(const planner::Graph& graph, uint64_t seed) {
  auto state = InitialState(graph, kModel, seed);
  MANTISSA_CHECK_OK(state);
  return *std::move(state);
}

bool Equal(const ModelState& a, const ModelState& b) {
  for (size_t i = 0; i < a.parameters.size(); ++i) {
    if (!at::equal(a.parameters[i], b.parameters[i])) return false;
  }
  for (size_t i = 0; i < a.buffers.size(); ++i) {
    if (!at::equal(a.buffers[i], b.buffers[i])) return false;
  }
  return true;
}

TEST(InitialState, IsKaimingNormalOverFanOutAndDependsOnTheSeedAlone) {
  const planner::Graph graph = Resnet();
  const ModelState state = Start(graph, 1);
  EXPECT_TRUE(Equal(state, Start(graph, 1)));
  EXPECT_FALSE(Equal(state, Start(graph, 2)));
  for (size_t i = 0; i < graph.parameters().size(); ++i) {
    const at::Tensor& parameter = state.parameters[i];
    if (parameter.dim() != 4 || parameter.numel() < 5000) continue;
    const double fan_out =
        static_cast<double>(parameter.size(0) * parameter.size(2) * parameter.size(3));
    EXPECT_NEAR(parameter.std().item<double>() / std::sqrt(2 / fan_out), 1, 0.05)
        << graph.value(graph.parameters()[i]).name;
    EXPECT_NEAR(parameter.mean().item<double>(), 0, 0.02);
  }
}

TEST(ModelState, ComesBackFromAFileBitForBit) {
  TempFolder folder;
  const std::string path = JoinPath(folder.path(), "weights.safetensors");
  const planner::Graph graph = Resnet();
  const ModelState state = Start(graph, 1);
  MANTISSA_CHECK_OK(SaveState(RealFileSystem(), path, graph, state));
  ModelState loaded = EmptyState(graph);
  MANTISSA_CHECK_OK(LoadState(RealFileSystem(), path, graph, loaded));
  EXPECT_TRUE(Equal(state, loaded));
}

TEST(LoadState, WeightsOfAnotherModelAreRefusedByName) {
  TempFolder folder;
  const std::string path = JoinPath(folder.path(), "weights.safetensors");
  const planner::Graph graph = Resnet();
  ModelState state = Start(graph, 1);
  MANTISSA_CHECK_OK(SaveState(RealFileSystem(), path, graph, state));
  const planner::Graph other = Resnet(/*classes=*/7);
  ModelState into = EmptyState(other);
  const absl::Status shape = LoadState(RealFileSystem(), path, other, into);
  EXPECT_EQ(shape.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(shape.message()), HasSubstr("needed is F32[7, "));
  EXPECT_THAT(std::string(shape.message()), HasSubstr("`mantissa model describe "));

  const std::string few = JoinPath(folder.path(), "few.safetensors");
  MANTISSA_CHECK_OK(data::WriteSafetensors(RealFileSystem(), few, {}, {}));
  const absl::Status missing = LoadState(RealFileSystem(), few, graph, state);
  EXPECT_THAT(std::string(missing.message()),
              HasSubstr("holds no tensor conv1.weight; needed is F32["));
}

TEST(LoadState, TensorsThatTheModelDoesNotHaveAreRefused) {
  TempFolder folder;
  const std::string path = JoinPath(folder.path(), "weights.safetensors");
  planner::Graph graph("one");
  graph.AddParameter("weight", {2});
  const at::Tensor values = at::zeros({2});
  MANTISSA_CHECK_OK(
      data::WriteSafetensors(RealFileSystem(), path,
                             {AsFileTensor("weight", values), AsFileTensor("wieght", values)}, {}));
  ModelState state = EmptyState(graph);
  EXPECT_THAT(std::string(LoadState(RealFileSystem(), path, graph, state).message()),
              HasSubstr("tensor wieght is not one of the 1 of model one. Use weights of the same"));
}

}  // namespace
}  // namespace mantissa::engine
