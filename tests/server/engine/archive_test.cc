// Models that real PyTorch exported: checked, trained from their weights, and given back under all
// names of their state dict.

#include <memory>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/equal.h"
#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/plan.h"
#include "server/data/array_samples.h"
#include "server/engine/archive_state.h"
#include "server/engine/model_check.h"
#include "server/engine/start_state.h"
#include "server/engine/trainer.h"
#include "server/models/pt2.h"

namespace mantissa::engine {
namespace {

using planner::Dim;
using planner::ValueRef;
using ::testing::HasSubstr;

std::string PathOf(const std::string& name) {
  return "tests/server/models/testdata/" + name + ".pt2";
}

models::Archive Open(const std::string& name) {
  auto archive = models::ReadPt2(PathOf(name), models::Limits());
  MANTISSA_CHECK_OK(archive);
  return *std::move(archive);
}

// With a node behind the output, which it reads.
models::Archive WithNode(planner::Node node, planner::Shape shape) {
  models::Archive archive = Open("rotary");
  for (planner::Argument& argument : node.args) {
    if (argument.name == "self" || argument.name == "other") {
      argument.value = ValueRef{archive.graph.output()};
    }
  }
  node.name = "added";
  archive.graph.SetOutput(
      archive.graph.AddNode(std::move(node), planner::DType::kFloat32, std::move(shape)));
  return archive;
}

std::string ErrorOf(planner::Node node, planner::Shape shape) {
  return std::string(CheckModel(WithNode(std::move(node), std::move(shape))).message());
}

TEST(ModelCheck, PassesWhatPyTorchExported) {
  for (const char* name : {"views", "tied", "rotary", "recurrent", "narrow"}) {
    const absl::Status status = CheckModel(Open(name));
    EXPECT_TRUE(status.ok()) << name << ": " << status;
  }
}

TEST(ModelCheck, NamesOperatorsThatLibTorchLacks) {
  EXPECT_THAT(ErrorOf({.op = "package::grouped", .overload = "fast", .args = {{"self", {}}}},
                      {Dim::Batch(), int64_t{3}, int64_t{4}}),
              HasSubstr("LibTorch has no operator package::grouped.fast"));
}

TEST(ModelCheck, NamesTheNodeThatMakesAnotherShape) {
  EXPECT_THAT(
      ErrorOf({.op = "aten::relu", .args = {{"self", {}}}}, {Dim::Batch(), int64_t{3}, int64_t{5}}),
      HasSubstr("node added (aten::relu): it makes Float[2, 3, 4] for 2 samples; the "
                "archive says Float[2, 3, 5]"));
}

TEST(ModelCheck, NamesTheNodeThatHasNoDerivative) {
  EXPECT_THAT(ErrorOf({.op = "aten::nextafter", .args = {{"self", {}}, {"other", {}}}},
                      {Dim::Batch(), int64_t{3}, int64_t{4}}),
              HasSubstr("node added (aten::nextafter): "));
}

TEST(ModelCheck, RefusesTensorsBeyondTheLimitBeforeItMakesThem) {
  const absl::Status status = CheckModel(Open("rotary"), {.max_bytes = 100});
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

planner::Plan PlanOf(const models::Archive& archive, planner::PlanRequest request = {}) {
  request.uploaded = std::make_shared<planner::Graph>(archive.graph);
  request.precision = {.policy = "demotion", .low_ratio = 0.5};
  request.batch_size = 4;
  auto plan = planner::MakePlan(request);
  MANTISSA_CHECK_OK(plan);
  return *std::move(plan);
}

TEST(StartState, IsTheArchivesAndIsSavedUnderEveryNameOfTheStateDict) {
  const models::Archive archive = Open("tied");
  const planner::Plan plan = PlanOf(archive);
  auto state = StartState(plan.graph, {.archive_path = PathOf("tied")});
  MANTISSA_CHECK_OK(state);
  const TempFolder folder;
  const std::string path = folder.path() + "/weights.safetensors";
  MANTISSA_CHECK_OK(SaveState(RealFileSystem(), path, plan.graph, *state));

  // Scaled weights of the same names are taken before the archive's.
  ModelState scaled = *state;
  for (at::Tensor& weight : scaled.parameters) weight = weight.mul(2);
  MANTISSA_CHECK_OK(SaveState(RealFileSystem(), path, plan.graph, scaled));
  auto again = StartState(plan.graph, {.init_path = path, .archive_path = PathOf("tied")});
  MANTISSA_CHECK_OK(again);
  for (size_t i = 0; i < state->parameters.size(); ++i) {
    EXPECT_TRUE(at::equal(again->parameters[i], scaled.parameters[i])) << i;
  }
  EXPECT_TRUE(at::equal(again->constants[0], state->constants[0]));

  EXPECT_THAT(state->other_names.at("embedding.weight"), ::testing::ElementsAre("head.weight"));
  ASSERT_EQ(state->unused.size(), 1u);
  EXPECT_EQ(state->unused[0].first, "unused");
}

TEST(StartState, OfAnArchiveOfAnotherModelIsRefused) {
  const planner::Plan plan = PlanOf(Open("tied"));
  const auto state = StartState(plan.graph, {.archive_path = PathOf("rotary")});
  EXPECT_THAT(std::string(state.status().message()),
              HasSubstr("the archive does not hold the tensors of"));
}

class Silent : public TrainingObserver {
 public:
  absl::Status OnStart(int64_t total_steps, int64_t) override {
    this->total_steps = total_steps;
    return absl::OkStatus();
  }
  absl::Status OnStep(const StepRecord& record) override {
    samples.push_back(record.samples);
    return absl::OkStatus();
  }
  absl::Status OnMemory(const MemoryRecord&) override { return absl::OkStatus(); }
  absl::Status OnEvaluation(const EvaluationRecord&) override { return absl::OkStatus(); }
  absl::Status OnCheckpoint(const std::string&, int64_t) override { return absl::OkStatus(); }
  bool Cancelled() override { return false; }

  int64_t total_steps = 0;
  std::vector<int64_t> samples;
};

TEST(Train, FineTunesAnArchiveInStepsOfSeveralBatchesAndSavesTheAverages) {
  const models::Archive archive = Open("tied");
  planner::Plan plan = PlanOf(archive, {.accumulate_batches = 2, .ema_decay = 0.5});
  std::vector<int64_t> tokens, labels;
  for (int64_t i = 0; i < 22; ++i) {
    tokens.push_back(i % 10);
    labels.push_back((i + 1) % 10);
  }
  data::LoadedDataset dataset = {.inputs = {{"x", data::ElementType::kInt64, {2}, 10}},
                                 .target = {"y", data::ElementType::kInt64, {2}, 10}};
  dataset.train = dataset.test = data::MakeArraySamples({data::MakeColumn("x", {2}, tokens, 10)},
                                                        data::MakeColumn("y", {2}, labels, 10));
  const TempFolder folder;
  Silent observer;
  const auto result = Train(plan, dataset,
                            {.epochs = 2,
                             .batch_size = 4,
                             .learning_rate = 0.5,
                             .threads = 1,
                             .archive_path = PathOf("tied"),
                             .output_dir = folder.path()},
                            observer);
  MANTISSA_CHECK_OK(result);
  // 11 samples are batches of 4, 4 and 3.
  EXPECT_EQ(observer.total_steps, 4);
  EXPECT_THAT(observer.samples, ::testing::ElementsAre(8, 3, 8, 3));
  EXPECT_TRUE(result->final_evaluation.accuracy.has_value());

  const auto read = [&](const std::string& path) {
    auto state = StartState(plan.graph, {.init_path = path, .archive_path = PathOf("tied")});
    MANTISSA_CHECK_OK(state);
    return *std::move(state);
  };
  const ModelState trained = read(result->weights_path), averaged = read(result->ema_weights_path);
  auto start = ArchiveState(archive);
  MANTISSA_CHECK_OK(start);
  for (size_t i = 0; i < start->parameters.size(); ++i) {
    const planner::Value& value = plan.graph.value(plan.graph.parameters()[i]);
    EXPECT_EQ(at::equal(trained.parameters[i], start->parameters[i]), value.frozen) << value.name;
    EXPECT_EQ(at::equal(trained.parameters[i], averaged.parameters[i]), value.frozen);
  }
}

}  // namespace
}  // namespace mantissa::engine
