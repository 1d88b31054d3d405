// The worker as a process against a server with nothing behind it: a real, small training.

#include "tests/server/rpc/worker_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "planner/wire/plan_proto.h"
#include "tests/server/rpc/fake_worker_service.h"

namespace mantissa::rpc {
namespace {

using internal::v1::WorkerReport;
using ::nlohmann::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kTrainSamples = 72, kBatch = 24;
constexpr int kStepsPerEpoch = kTrainSamples / kBatch;

std::string ShapesFile() {
  absl::StatusOr<std::string> bytes = RealFileSystem().Read(
      JoinPath(std::getenv("TEST_SRCDIR"), "mantissa/tests/server/rpc/testdata/shapes.npz"));
  MANTISSA_CHECK_OK(bytes);
  return *std::move(bytes);
}

std::vector<json> Lines(const std::string& text) {
  std::vector<json> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    lines.push_back(json::parse(line.begin(), line.end()));
  }
  return lines;
}

int64_t CountSteps(const std::vector<WorkerReport>& reports) {
  return std::count_if(reports.begin(), reports.end(),
                       [](const WorkerReport& report) { return report.has_step_done(); });
}

void AddFile(FakeWorkerService& server, const std::string& name, const std::string& bytes,
             google::protobuf::RepeatedPtrField<v1::DatasetFile>& files) {
  v1::DatasetFile& file = *files.Add();
  file.set_name(name);
  file.set_sha256(server.AddBlob(bytes));
  file.set_size_bytes(static_cast<int64_t>(bytes.size()));
}

// Gives `server` a job of `epochs` to hand out.
internal::v1::TrainTask& SetTrainTask(FakeWorkerService& server, int epochs,
                                      v1::PolicyName policy = v1::POLICY_NAME_DEMOTION,
                                      int classes = 3) {
  internal::v1::TrainTask& task = *server.task().mutable_train();
  task.set_job_id("job-1");
  task.set_attempt(1);
  v1::PlanRequest request;
  request.mutable_model()->set_model("builtin:squeezenet");
  request.mutable_model()->set_width(0.1);
  request.mutable_model()->set_classes(classes);
  for (int side : {1, 32, 32}) request.mutable_model()->add_input_shape(side);
  request.mutable_precision()->set_policy(policy);
  request.set_batch_size(kBatch);
  absl::StatusOr<v1::Plan> plan = planner::PlanFromRequest(request);
  MANTISSA_CHECK_OK(plan);
  *task.mutable_plan() = *plan;
  v1::JobSpec& spec = *task.mutable_spec();
  *spec.mutable_model() = plan->model();
  *spec.mutable_precision() = plan->precision();
  v1::TrainingSpec& training = *spec.mutable_training();
  training.set_epochs(epochs);
  training.set_batch_size(kBatch);
  training.set_learning_rate(0.02);
  training.set_momentum(0.9);
  training.set_weight_decay(0.0005);
  training.set_loss_scale(policy == v1::POLICY_NAME_NONE ? 1 : 65536);
  training.set_dynamic_loss_scale(policy != v1::POLICY_NAME_NONE);
  training.set_evaluate_every(1);
  training.set_seed(1);
  AddFile(server, "shapes.npz", ShapesFile(), *task.mutable_dataset()->mutable_files());
  return task;
}

class WorkerProcessTest : public testing::Test {
 protected:
  v1::Failure LastFailure() {
    std::vector<WorkerReport> reports = server_.reports();
    EXPECT_FALSE(reports.empty());
    if (reports.empty() || !reports.back().has_failed()) return {};
    return reports.back().failed();
  }

  TempFolder folder_;
  FakeWorkerService server_;
};

TEST_F(WorkerProcessTest, InspectionDescribesTheDataSet) {
  v1::CreateDatasetRequest& request = *server_.task().mutable_inspect()->mutable_request();
  request.set_name("shapes");
  AddFile(server_, "shapes.npz", ShapesFile(), *request.mutable_files());
  WorkerProcess worker(server_.address(), folder_.path());
  EXPECT_EQ(worker.Wait(), 0);
  ASSERT_THAT(server_.reports(), SizeIs(1));
  const v1::Dataset dataset = server_.reports()[0].inspected();
  EXPECT_EQ(dataset.name(), "shapes");
  EXPECT_EQ(dataset.format(), "npz");
  EXPECT_EQ(dataset.train_samples(), 72);
  EXPECT_EQ(dataset.test_samples(), 24);
  EXPECT_THAT(dataset.sample_shape(), testing::ElementsAre(1, 32, 32));
  EXPECT_EQ(dataset.classes(), 3);
  EXPECT_THAT(dataset.mean(), SizeIs(1));
  EXPECT_NEAR(dataset.mean(0), 134.0 / 255, 0.05);
}

TEST_F(WorkerProcessTest, TruncatedDataFailTheInspectionByName) {
  v1::CreateDatasetRequest& request = *server_.task().mutable_inspect()->mutable_request();
  std::string bytes = ShapesFile();
  AddFile(server_, "shapes.npz", bytes.substr(0, bytes.size() / 2), *request.mutable_files());
  WorkerProcess worker(server_.address(), folder_.path());
  EXPECT_EQ(worker.Wait(), 0);
  EXPECT_EQ(LastFailure().cause(), v1::FAILURE_CAUSE_BAD_DATA);
  EXPECT_THAT(LastFailure().message(), HasSubstr("shapes.npz: not a usable zip archive"));
}

TEST_F(WorkerProcessTest, TrainingReportsItsStepsAndLeavesItsFiles) {
  SetTrainTask(server_, /*epochs=*/4);
  WorkerProcess worker(server_.address(), folder_.path());
  EXPECT_EQ(worker.Wait(), 0);
  const std::vector<WorkerReport> reports = server_.reports();
  ASSERT_FALSE(reports.empty());
  EXPECT_TRUE(reports.front().has_started());
  EXPECT_EQ(reports.front().started().total_steps(), 4 * kStepsPerEpoch);
  EXPECT_TRUE(reports.back().has_succeeded()) << reports.back().ShortDebugString();
  EXPECT_EQ(CountSteps(reports), 4 * kStepsPerEpoch);

  const auto artifacts = server_.artifacts();
  std::vector<json> steps, evaluations;
  for (json& line : Lines(artifacts.at("history.jsonl"))) {
    (line.contains("evaluation") ? evaluations : steps).push_back(std::move(line));
  }
  ASSERT_THAT(steps, SizeIs(4 * kStepsPerEpoch));
  for (int i = 0; i < 4 * kStepsPerEpoch; ++i) {
    EXPECT_EQ(steps[i]["step"], i + 1);
    EXPECT_EQ(steps[i]["epoch"], i / kStepsPerEpoch);
    for (const char* field : {"loss", "loss_unrounded", "lr", "loss_scale"}) {
      EXPECT_TRUE(steps[i][field].is_number()) << field;
    }
    EXPECT_TRUE(steps[i]["skipped"].is_boolean());
    EXPECT_TRUE(steps[i]["promoted"].is_array());
  }
  ASSERT_THAT(evaluations, SizeIs(4));
  EXPECT_EQ(evaluations[3]["samples"], 24);

  const json plan = json::parse(artifacts.at("plan.json"));
  EXPECT_EQ(plan["policy"], "demotion");
  EXPECT_EQ(plan["tensors"].size(), server_.task().train().plan().tensors_size());
  EXPECT_TRUE(plan["promotions"].is_array());
  const json report = json::parse(artifacts.at("report.json"));
  EXPECT_EQ(report["outcome"], "succeeded");
  EXPECT_EQ(report["steps"], 4 * kStepsPerEpoch);
  EXPECT_EQ(report["accuracy"], evaluations[3]["accuracy"]);
  EXPECT_EQ(report["bits"]["planned"], server_.task().train().plan().bits());
  EXPECT_EQ(report["spec"]["training"]["epochs"], 4);
  EXPECT_GT(artifacts.at("weights.safetensors").size(), 10000u);
}

TEST_F(WorkerProcessTest, TrainingGoesOnThroughARestartOfTheServer) {
  SetTrainTask(server_, /*epochs=*/20);
  server_.set_acknowledge_every(4);
  WorkerProcess worker(server_.address(), folder_.path());
  ASSERT_TRUE(server_.WaitFor([](const auto& reports) { return CountSteps(reports) >= 8; }));
  server_.Stop();
  absl::SleepFor(absl::Milliseconds(700));
  server_.Start();
  EXPECT_EQ(worker.Wait(), 0);
  const std::vector<WorkerReport> reports = server_.reports();
  EXPECT_TRUE(reports.back().has_succeeded());
  EXPECT_EQ(CountSteps(reports), 20 * kStepsPerEpoch);
  for (size_t i = 0; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i].number(), static_cast<int64_t>(i + 1));
  }
}

TEST_F(WorkerProcessTest, CancelledTrainingSaysSoAndKeepsItsHistory) {
  SetTrainTask(server_, /*epochs=*/100000);
  WorkerProcess worker(server_.address(), folder_.path());
  ASSERT_TRUE(server_.WaitFor([](const auto& reports) { return CountSteps(reports) >= 2; }));
  server_.Cancel();
  EXPECT_EQ(worker.Wait(), 0);
  EXPECT_TRUE(server_.reports().back().has_cancelled());
  EXPECT_GE(Lines(server_.artifacts().at("history.jsonl")).size(), 2u);
  EXPECT_EQ(json::parse(server_.artifacts().at("report.json"))["outcome"], "cancelled");
}

TEST_F(WorkerProcessTest, TerminationWithoutACommandLeavesNoLastReport) {
  SetTrainTask(server_, /*epochs=*/100000);
  WorkerProcess worker(server_.address(), folder_.path());
  ASSERT_TRUE(server_.WaitFor([](const auto& reports) { return CountSteps(reports) >= 2; }));
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.Wait(), 143);
  EXPECT_FALSE(server_.reports().back().has_cancelled());
}

TEST_F(WorkerProcessTest, DisownedWorkerStopsTraining) {
  SetTrainTask(server_, /*epochs=*/100000);
  WorkerProcess worker(server_.address(), folder_.path());
  ASSERT_TRUE(server_.WaitFor([](const auto& reports) { return CountSteps(reports) >= 2; }));
  server_.Disown();
  EXPECT_EQ(worker.Wait(), 3);
}

TEST_F(WorkerProcessTest, WrongTokenAndMissingTokenAreToldApart) {
  WorkerProcess wrong(server_.address(), folder_.path(), {"MANTISSA_WORKER_TOKEN=guess"});
  EXPECT_EQ(wrong.Wait(), 3);
  WorkerProcess missing(server_.address(), folder_.path(), {"MANTISSA_WORKER_TOKEN="});
  EXPECT_EQ(missing.Wait(), 2);
}

TEST_F(WorkerProcessTest, WorkerEndsWhenTheServerStaysAway) {
  SetTrainTask(server_, /*epochs=*/100000);
  WorkerProcess worker(server_.address(), folder_.path(), {"MANTISSA_RECONNECT=1"});
  ASSERT_TRUE(server_.WaitFor([](const auto& reports) { return CountSteps(reports) >= 2; }));
  server_.Stop();
  EXPECT_EQ(worker.Wait(), 4);
}

TEST_F(WorkerProcessTest, DivergedTrainingIsNamedAndKeepsItsHistory) {
  internal::v1::TrainTask& task = SetTrainTask(server_, /*epochs=*/100, v1::POLICY_NAME_NONE);
  task.mutable_spec()->mutable_training()->set_learning_rate(1e30);
  WorkerProcess worker(server_.address(), folder_.path());
  EXPECT_EQ(worker.Wait(), 0);
  EXPECT_EQ(LastFailure().cause(), v1::FAILURE_CAUSE_DIVERGED) << LastFailure().message();
  bool has_null = false;
  for (const json& line : Lines(server_.artifacts().at("history.jsonl"))) {
    has_null = has_null || line["loss"].is_null();
  }
  EXPECT_TRUE(has_null);  // a loss that is not a number
  const json report = json::parse(server_.artifacts().at("report.json"));
  EXPECT_EQ(report["failure"]["cause"], "FAILURE_CAUSE_DIVERGED");
}

TEST_F(WorkerProcessTest, LabelsBeyondTheClassesAreBadData) {
  SetTrainTask(server_, /*epochs=*/1, v1::POLICY_NAME_DEMOTION, /*classes=*/2);
  WorkerProcess worker(server_.address(), folder_.path());
  EXPECT_EQ(worker.Wait(), 0);
  EXPECT_EQ(LastFailure().cause(), v1::FAILURE_CAUSE_BAD_DATA) << LastFailure().message();
}

TEST_F(WorkerProcessTest, UnknownModelIsABadRequest) {
  SetTrainTask(server_, /*epochs=*/1).mutable_plan()->mutable_model()->set_model("builtin:vgg");
  WorkerProcess worker(server_.address(), folder_.path());
  EXPECT_EQ(worker.Wait(), 0);
  EXPECT_EQ(LastFailure().cause(), v1::FAILURE_CAUSE_BAD_REQUEST) << LastFailure().message();
  EXPECT_THAT(LastFailure().message(), HasSubstr("vgg"));
}

TEST_F(WorkerProcessTest, WeightsThatAreNoneAreABadRequest) {
  internal::v1::TrainTask& task = SetTrainTask(server_, /*epochs=*/1);
  task.mutable_spec()->mutable_training()->set_init_sha256(server_.AddBlob("no safetensors"));
  WorkerProcess worker(server_.address(), folder_.path());
  EXPECT_EQ(worker.Wait(), 0);
  EXPECT_EQ(LastFailure().cause(), v1::FAILURE_CAUSE_BAD_REQUEST) << LastFailure().message();
}

TEST_F(WorkerProcessTest, SecondAttemptGoesOnFromTheCheckpoint) {
  SetTrainTask(server_, /*epochs=*/100000);
  std::string checkpoint;
  int64_t step = 0;
  {
    WorkerProcess worker(server_.address(), folder_.path());
    ASSERT_TRUE(server_.WaitFor([&](const auto& reports) {
      for (const WorkerReport& report : reports) {
        if (!report.has_checkpoint_written()) continue;
        checkpoint = report.checkpoint_written().name();
        step = report.checkpoint_written().step();
      }
      return !checkpoint.empty();
    }));
    worker.Signal(SIGKILL);
    EXPECT_EQ(worker.Wait(), 1000 + SIGKILL);
  }
  FakeWorkerService second;
  SetTrainTask(second, /*epochs=*/100000);
  second.task().mutable_train()->set_attempt(2);
  second.task().mutable_train()->set_checkpoint(checkpoint);
  for (const auto& [name, bytes] : server_.artifacts()) second.AddArtifact(name, bytes);
  TempFolder folder;
  WorkerProcess worker(second.address(), folder.path());
  ASSERT_TRUE(second.WaitFor([](const auto& reports) { return CountSteps(reports) >= 3; }));
  second.Cancel();
  EXPECT_EQ(worker.Wait(), 0);
  const std::vector<WorkerReport> reports = second.reports();
  auto first = std::find_if(reports.begin(), reports.end(),
                            [](const WorkerReport& report) { return report.has_step_done(); });
  ASSERT_NE(first, reports.end());
  EXPECT_EQ(first->step_done().step(), step + 1);
  // The history has every step of both attempts, once.
  int64_t expected = 1;
  for (const json& line : Lines(second.artifacts().at("history.jsonl"))) {
    if (line.contains("evaluation")) continue;
    EXPECT_EQ(line["step"], expected++);
  }
  EXPECT_GT(expected, step + 3);
}

}  // namespace
}  // namespace mantissa::rpc
