// The API as a client sees it.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "tests/server/main/daemon.h"

namespace mantissa {
namespace {

std::string FieldOf(const grpc::Status& status) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) {
    google::rpc::BadRequest request;
    if (detail.UnpackTo(&request)) return request.field_violations(0).field();
  }
  return "";
}

class ApiTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(daemon_.Start()) << daemon_.error(); }
  Daemon daemon_;
};

TEST_F(ApiTest, AnUploadIsResumedByItsOffset) {
  const std::string content(3 << 20, 'x');
  v1::UploadBlobResponse response;
  ASSERT_TRUE(daemon_.Upload(content, 0, content.substr(0, 1000), &response).ok());
  EXPECT_EQ(response.committed_bytes(), 1000);
  daemon_.Kill();
  ASSERT_TRUE(daemon_.Start());
  grpc::ClientContext context;
  v1::QueryBlobRequest query;
  query.set_sha256(Sha256Hex(content));
  query.set_size_bytes(content.size());
  v1::QueryBlobResponse state;
  ASSERT_TRUE(daemon_.datasets().QueryBlob(&context, query, &state).ok());
  EXPECT_EQ(state.committed_bytes(), 1000);
  ASSERT_TRUE(daemon_.Upload(content, 1000, content.substr(1000), &response).ok());
  EXPECT_TRUE(response.complete());
}

TEST_F(ApiTest, ADeclaredTenGigabytesAreRefusedAtOnce) {
  grpc::ClientContext context;
  v1::UploadBlobResponse response;
  const auto writer = daemon_.datasets().UploadBlob(&context, &response);
  v1::UploadBlobRequest request;
  request.mutable_header()->set_sha256(std::string(64, 'a'));
  request.mutable_header()->set_size_bytes(10'000'000'000);
  writer->Write(request);
  const grpc::Status status = writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(absl::StrContains(status.error_message(), "--max-blob-bytes"))
      << status.error_message();
}

TEST_F(ApiTest, WrongJobsNameTheirFieldInTheDetails) {
  daemon_.PushDataset("digits");
  v1::Job job;
  v1::SubmitJobRequest request = daemon_.Request("job");
  request.mutable_spec()->mutable_training()->set_learning_rate(0.0 / 0.0);
  grpc::Status status = daemon_.TrySubmit(request, &job);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldOf(status), "training.learning_rate") << status.error_message();
  request = daemon_.Request("job");
  request.mutable_spec()->mutable_precision()->set_low_ratio(1.5);
  EXPECT_EQ(FieldOf(daemon_.TrySubmit(request, &job)), "precision.low_ratio");
  request = daemon_.Request("job");
  request.mutable_spec()->mutable_model()->set_width(0.33);
  EXPECT_EQ(FieldOf(daemon_.TrySubmit(request, &job)), "model.width");
  request = daemon_.Request("job");
  request.mutable_spec()->mutable_model()->set_model("builtin:vgg");
  EXPECT_EQ(daemon_.TrySubmit(request, &job).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ApiTest, AnUnknownDataSetComesWithResourceInfo) {
  v1::Job job;
  const grpc::Status status = daemon_.TrySubmit(daemon_.Request("job"), &job);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::ResourceInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.resource_type(), "dataset");
  EXPECT_EQ(info.resource_name(), "digits");
}

TEST_F(ApiTest, ListsJobsPageByPageAndRefusesForeignTokens) {
  daemon_.PushDataset("digits");
  for (int i = 0; i < 3; ++i) daemon_.Submit("steps 1 1");
  std::vector<std::string> ids;
  v1::ListJobsRequest request;
  request.set_page_size(2);
  v1::ListJobsResponse page;
  do {
    grpc::ClientContext context;
    request.set_page_token(page.next_page_token());
    ASSERT_TRUE(daemon_.jobs().ListJobs(&context, request, &page).ok());
    for (const v1::Job& job : page.jobs()) ids.push_back(job.id());
  } while (!page.next_page_token().empty());
  EXPECT_EQ(ids.size(), 3u);
  for (const char* token : {"x", "!!", "ZGF0YXNldHM6YQ"}) {
    grpc::ClientContext context;
    request.set_page_token(token);
    const grpc::Status status = daemon_.jobs().ListJobs(&context, request, &page);
    EXPECT_EQ(FieldOf(status), "page_token") << token;
  }
}

TEST_F(ApiTest, StreamsLogAndArtifactsOfAJob) {
  daemon_.PushDataset("digits");
  const std::string id = daemon_.Submit("steps 5 5");
  std::string log;
  {
    grpc::ClientContext context;
    v1::GetLogsRequest request;
    request.set_id(id);
    request.set_follow(true);
    const auto reader = daemon_.jobs().GetLogs(&context, request);
    v1::LogChunk chunk;
    while (reader->Read(&chunk)) {
      log += chunk.data();
      EXPECT_EQ(chunk.next_offset(), static_cast<int64_t>(log.size()));
    }
    EXPECT_TRUE(reader->Finish().ok());
  }
  EXPECT_TRUE(absl::StrContains(log, "step 5")) << log;
  v1::FetchArtifactRequest request;
  request.set_id(id);
  request.set_name("report.json");
  request.set_offset(7);
  grpc::ClientContext context;
  const auto reader = daemon_.jobs().FetchArtifact(&context, request);
  v1::ArtifactChunk chunk;
  ASSERT_TRUE(reader->Read(&chunk));
  EXPECT_EQ(chunk.data(), "json\n");
  EXPECT_EQ(chunk.artifact().sha256(), Sha256Hex("report.json\n"));
  EXPECT_TRUE(reader->Finish().ok());
  request.set_name("../../state.db");
  grpc::ClientContext other;
  const auto outside = daemon_.jobs().FetchArtifact(&other, request);
  EXPECT_FALSE(outside->Read(&chunk));
  EXPECT_EQ(outside->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ApiTest, ACancelledWatchEndsWhileTheJobIsQuiet) {
  daemon_.PushDataset("digits");
  daemon_.Submit("steps 100000 5");
  const std::string waiting = daemon_.Submit("steps 1 1");
  std::vector<v1::JobEvent> events;
  // Its only event so far, then silence: the call must end all the same.
  EXPECT_EQ(daemon_.Watch(waiting, events, 1).error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ApiTest, SeriesOfAJobAppearAndDisappear) {
  daemon_.PushDataset("digits");
  const std::string id = daemon_.Submit("steps 100 10");
  const std::string series = absl::StrCat("mantissa_job_loss{job=\"", id, "\"}");
  EXPECT_TRUE(daemon_.WaitFor([&] { return absl::StrContains(daemon_.Scrape(), series); }));
  ASSERT_TRUE(daemon_.WaitForState(id, v1::JOB_STATE_SUCCEEDED));
  const std::string after = daemon_.Scrape();
  EXPECT_FALSE(absl::StrContains(after, id)) << after;
  EXPECT_TRUE(absl::StrContains(after, "mantissa_jobs{state=\"SUCCEEDED\"} 1"));
  EXPECT_TRUE(absl::StrContains(
      after,
      "mantissa_rpc_handled_total{code=\"OK\",method=\"mantissa.v1.JobService/SubmitJob\"} 1"))
      << after;
}

TEST_F(ApiTest, TellsAboutItself) {
  const auto stub = v1::ServerService::NewStub(daemon_.NewChannel());
  grpc::ClientContext context;
  v1::ServerInfo info;
  ASSERT_TRUE(stub->GetServerInfo(&context, {}, &info).ok());
  EXPECT_EQ(info.max_blob_bytes(), int64_t{8} << 30);
  EXPECT_GT(info.free_disk_bytes(), 0);
  EXPECT_EQ(info.max_message_bytes(), 4 << 20);
}

TEST_F(ApiTest, PlansAndDescribesModels) {
  const auto planner = v1::PlannerService::NewStub(daemon_.NewChannel());
  v1::PlanRequest request;
  request.mutable_model()->set_model("builtin:resnet18");
  request.mutable_model()->set_classes(10);
  grpc::ClientContext plan_context;
  v1::PlanResponse plan;
  ASSERT_TRUE(planner->Plan(&plan_context, request, &plan).ok());
  EXPECT_GT(plan.plan().total_elements(), 0);
  const auto models = v1::ModelService::NewStub(daemon_.NewChannel());
  grpc::ClientContext list_context;
  v1::ListModelsResponse list;
  ASSERT_TRUE(models->ListModels(&list_context, {}, &list).ok());
  EXPECT_EQ(list.models_size(), 4);
}

}  // namespace
}  // namespace mantissa
