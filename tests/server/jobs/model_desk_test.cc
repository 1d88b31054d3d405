#include "server/jobs/model_desk.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/wire/graph_proto.h"
#include "tests/server/jobs/world.h"

namespace mantissa::jobs {
namespace {

// [N, 1, 8, 8] to [N, 10], as the data set of World has it.
planner::Graph Flat() {
  planner::Graph graph("flat");
  const planner::ValueId x =
      graph.AddInput("x", planner::DType::kFloat32, {planner::Dim::Batch(), 1, 8, 8});
  const planner::ValueId weight = graph.AddParameter("fc.weight", {10, 64});
  const planner::ValueId flat = graph.AddNode(
      {.name = "flatten", .op = "aten::flatten", .args = {{"self", planner::ValueRef{x}}}},
      planner::DType::kFloat32, {planner::Dim::Batch(), 64}, x);
  graph.SetOutput(graph.AddNode(
      {.name = "fc",
       .op = "aten::linear",
       .args = {{"input", planner::ValueRef{flat}}, {"weight", planner::ValueRef{weight}}}},
      planner::DType::kFloat32, {planner::Dim::Batch(), 10}));
  return graph;
}

internal::v1::WorkerReport Found(const planner::Graph& graph) {
  internal::v1::WorkerReport report;
  report.set_number(1);
  internal::v1::InspectedModel& model = *report.mutable_model_inspected();
  *model.mutable_graph() = planner::GraphToProto(graph);
  model.set_source(v1::MODEL_SOURCE_PT2);
  model.set_producer("torch 2.11.0");
  model.add_outputs(graph.output());
  return report;
}

class ModelDeskTest : public testing::Test {
 protected:
  ModelDeskTest() : world_(folder_.path(), "sleep 100") {}
  ~ModelDeskTest() override { world_.pool.StopAll(); }

  static v1::CreateModelRequest Request(const std::string& name, const std::string& content) {
    v1::CreateModelRequest request;
    request.set_name(name);
    request.set_sha256(Sha256Hex(content));
    request.set_size_bytes(static_cast<int64_t>(content.size()));
    request.set_file_name("net.pt2");
    return request;
  }

  void Create(const v1::CreateModelRequest& request) {
    result_.reset();
    world_.model_desk.Create(
        request, [this](absl::StatusOr<v1::Model> model) { result_ = std::move(model); });
  }

  void CreateKnown(const std::string& name, const std::string& content) {
    world_.Upload(content);
    Create(Request(name, content));
    world_.ReportInspection(Found(Flat()));
    ASSERT_TRUE(result_.has_value());
    ASSERT_TRUE(result_->ok()) << result_->status();
    world_.pool.StopAll();
  }

  v1::SubmitJobRequest Job(const std::string& model) {
    v1::SubmitJobRequest request = world_.Request("digits");
    request.mutable_spec()->mutable_model()->set_model(model);
    return request;
  }

  TempFolder folder_;
  World world_;
  std::optional<absl::StatusOr<v1::Model>> result_;
};

TEST_F(ModelDeskTest, IsThereOnceAWorkerHasReadIt) {
  world_.Upload("archive");
  Create(Request("flat", "archive"));
  EXPECT_FALSE(result_.has_value());
  const internal::v1::Task task = *world_.inspections.TaskOf(world_.pool.Tasks()[0]);
  EXPECT_EQ(task.inspect_model().request().sha256(), Sha256Hex("archive"));
  world_.ReportInspection(Found(Flat()));
  ASSERT_TRUE(result_.has_value());
  ASSERT_TRUE(result_->ok()) << result_->status();
  const v1::Model model = *world_.models.Get("flat");
  EXPECT_EQ(model.source(), v1::MODEL_SOURCE_PT2);
  EXPECT_EQ(model.parameter_elements(), 640);
  EXPECT_EQ(model.outputs(0).shape(1).size(), 10);
  EXPECT_EQ(model.file_name(), "net.pt2");
  EXPECT_EQ(world_.models.GraphOf("flat")->nodes_size(), 2);
}

TEST_F(ModelDeskTest, TheSameFileAgainIsReturnedAndAnotherRefused) {
  CreateKnown("flat", "archive");
  Create(Request("flat", "archive"));
  ASSERT_TRUE(result_.has_value());
  EXPECT_TRUE(result_->ok());
  EXPECT_EQ(world_.observer.starts, 1);
  world_.Upload("another");
  Create(Request("flat", "another"));
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(ModelDeskTest, AMissingBlobIsAPrecondition) {
  Create(Request("flat", "never uploaded"));
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ModelDeskTest, WrongRequestsNameTheirField) {
  const auto field = [&](const v1::CreateModelRequest& request) {
    Create(request);
    const std::vector<FieldViolation> wrong = FieldViolationsOf(result_->status());
    return wrong.empty() ? "" : wrong[0].field;
  };
  EXPECT_EQ(field(Request("Flat", "archive")), "name");
  EXPECT_EQ(field(Request("resnet18", "archive")), "name");
  v1::CreateModelRequest hash = Request("flat", "archive");
  hash.set_sha256("../../etc/passwd");
  EXPECT_EQ(field(hash), "sha256");
  v1::CreateModelRequest file = Request("flat", "archive");
  file.set_file_name("a\x1b[31m.pt2");
  EXPECT_EQ(field(file), "file_name");
  EXPECT_FALSE(absl::StrContains(result_->status().message(), "\x1b"));
  v1::CreateModelRequest script = Request("flat", "archive");
  script.set_allow_torchscript(true);
  EXPECT_EQ(field(script), "allow_torchscript");
}

TEST_F(ModelDeskTest, WhatTheWorkerCannotReadIsTheCallersFaultAndNamed) {
  world_.Upload("archive");
  Create(Request("flat", "archive"));
  internal::v1::WorkerReport report;
  report.set_number(1);
  report.mutable_failed()->set_cause(v1::FAILURE_CAUSE_BAD_REQUEST);
  report.mutable_failed()->set_message("model.pt2 is truncated.");
  world_.ReportInspection(report);
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(result_->status().message(), "The model `flat` can't be used: model.pt2 is truncated.");
  EXPECT_FALSE(world_.models.Get("flat").ok());
}

TEST_F(ModelDeskTest, AGraphThatIsNoneIsNotBelieved) {
  world_.Upload("archive");
  Create(Request("flat", "archive"));
  internal::v1::WorkerReport report = Found(Flat());
  report.mutable_model_inspected()->mutable_graph()->mutable_nodes(1)->set_outputs(0, 1000000);
  world_.ReportInspection(report);
  EXPECT_EQ(result_->status().code(), absl::StatusCode::kInternal);
  EXPECT_FALSE(world_.models.Get("flat").ok());
}

TEST_F(ModelDeskTest, AWorkerThatDiesOrTakesTooLongRefusesTheModelByName) {
  const auto refusal = [&](const std::string& script) {
    World world(folder_.path(), script);
    auto upload = *world.blobs.Begin(Sha256Hex(script), static_cast<int64_t>(script.size()), 0);
    EXPECT_TRUE(upload->Append(script).ok());
    EXPECT_TRUE(upload->Finish().ok());
    std::optional<absl::Status> status;
    world.model_desk.Create(Request("flat", script),
                            [&](absl::StatusOr<v1::Model> m) { status = m.status(); });
    EXPECT_TRUE(world.TickUntil([&] { return status.has_value(); }));
    return status.value_or(absl::OkStatus());
  };
  const absl::Status crash = refusal("kill -SEGV $$");
  EXPECT_EQ(crash.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(crash.message(), "`flat`")) << crash;
  EXPECT_TRUE(absl::StrContains(crash.message(), "signal 11")) << crash;
  const absl::Status busy = refusal("kill -XCPU $$");
  EXPECT_EQ(busy.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(busy.message(), "processor time")) << busy;
}

TEST_F(ModelDeskTest, AJobHoldsItsModelAndTheModelItsFile) {
  world_.AddDataset("digits");
  CreateKnown("flat", "archive");
  const absl::StatusOr<v1::Job> job = world_.desk.Submit(Job("flat"));
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->spec().model().sha256(), Sha256Hex("archive"));
  absl::Status status = world_.model_desk.Delete("flat");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), job->id())) << status;
  ASSERT_TRUE(world_.blobs.RemoveUnused({Sha256Hex("archive")}).ok());
  EXPECT_TRUE(world_.blobs.PathOf(Sha256Hex("archive")).ok());
  ASSERT_TRUE(world_.desk.Cancel(job->id()).ok());
  ASSERT_TRUE(world_.model_desk.Delete("flat").ok());
  EXPECT_FALSE(world_.blobs.PathOf(Sha256Hex("archive")).ok());
  status = world_.model_desk.Delete("flat");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(world_.model_desk.Delete("builtin:resnet18").code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ModelDeskTest, ATaskOfAJobNamesTheFileOfItsModel) {
  world_.AddDataset("digits");
  CreateKnown("flat", "archive");
  const v1::Job job = *world_.desk.Submit(Job("flat"));
  ASSERT_TRUE(world_.TickUntilState(job.id(), v1::JOB_STATE_PLANNING));
  const internal::v1::Task task = *world_.runner.TaskOf(job.id(), 1);
  EXPECT_EQ(task.train().model().sha256(), Sha256Hex("archive"));
  EXPECT_EQ(task.train().model().size_bytes(), 7);
}

TEST_F(ModelDeskTest, AJobIsHeldToTheModelThatItNames) {
  world_.AddDataset("digits");
  CreateKnown("flat", "archive");
  EXPECT_EQ(world_.desk.Submit(Job("round")).status().code(), absl::StatusCode::kNotFound);
  v1::SubmitJobRequest changed = Job("flat");
  changed.mutable_spec()->mutable_model()->set_sha256(Sha256Hex("another"));
  EXPECT_EQ(world_.desk.Submit(changed).status().code(), absl::StatusCode::kFailedPrecondition);
  v1::SubmitJobRequest squares = Job("flat");
  squares.mutable_spec()->mutable_training()->set_loss(v1::LOSS_MSE);
  const absl::Status status = world_.desk.Submit(squares).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "mse")) << status;
}

TEST_F(ModelDeskTest, ListsByNameInPages) {
  for (const char* name : {"c", "a", "b"}) CreateKnown(name, name);
  const ModelPage first = *world_.models.List("", 2);
  ASSERT_EQ(first.models.size(), 2u);
  EXPECT_EQ(first.models[0].name(), "a");
  EXPECT_TRUE(first.models[0].inputs().empty());
  EXPECT_TRUE(first.more);
  const ModelPage last = *world_.models.List("b", 2);
  ASSERT_EQ(last.models.size(), 1u);
  EXPECT_FALSE(last.more);
}

}  // namespace
}  // namespace mantissa::jobs
