// Workers that misbehave: no job hangs, each failure has its cause, the server stays up.

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/server/main/daemon.h"

namespace mantissa {
namespace {

class FailuresTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.Start({"--lost-worker-after=2s", "--max-running-jobs=2"}))
        << daemon_.error();
    daemon_.PushDataset("digits");
  }
  // The job after its end.
  v1::Job Run(const std::string& name, int max_retries = 1) {
    const std::string id = daemon_.Submit(name, max_retries);
    std::vector<v1::JobEvent> events;
    EXPECT_TRUE(daemon_.Watch(id, events).ok());
    return daemon_.Get(id);
  }
  Daemon daemon_;
};

TEST_F(FailuresTest, ACrashIsTriedAgainAndSucceeds) {
  const v1::Job job = Run("crash-once");
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.attempt(), 2);
  EXPECT_EQ(job.progress().step(), 5);
}

TEST_F(FailuresTest, CrashesUseUpTheRetries) {
  const v1::Job job = Run("crash", /*max_retries=*/2);
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.attempt(), 3);
  EXPECT_EQ(job.failure().cause(), v1::FAILURE_CAUSE_WORKER_DIED);
  EXPECT_TRUE(absl::StrContains(job.failure().message(), "signal 9")) << job.failure().message();
}

TEST_F(FailuresTest, AnExitWithoutResultIsADeath) {
  const v1::Job job = Run("exit", /*max_retries=*/0);
  EXPECT_EQ(job.failure().cause(), v1::FAILURE_CAUSE_WORKER_DIED);
  EXPECT_TRUE(absl::StrContains(job.failure().message(), "code 0")) << job.failure().message();
}

TEST_F(FailuresTest, SilenceIsALoss) {
  const v1::Job job = Run("silent", /*max_retries=*/0);
  EXPECT_EQ(job.failure().cause(), v1::FAILURE_CAUSE_WORKER_LOST);
}

TEST_F(FailuresTest, AReportedFailureKeepsItsCauseAndIsNotTriedAgain) {
  const v1::Job job = Run("oom", /*max_retries=*/5);
  EXPECT_EQ(job.failure().cause(), v1::FAILURE_CAUSE_OUT_OF_MEMORY);
  EXPECT_EQ(job.attempt(), 1);
}

TEST_F(FailuresTest, ACancelReachesTheWorker) {
  const std::string id = daemon_.Submit("steps 100000 5");
  ASSERT_TRUE(daemon_.WaitForState(id, v1::JOB_STATE_RUNNING));
  grpc::ClientContext context;
  v1::CancelJobRequest request;
  request.set_id(id);
  v1::Job job;
  ASSERT_TRUE(daemon_.jobs().CancelJob(&context, request, &job).ok());
  std::vector<v1::JobEvent> events;
  EXPECT_TRUE(daemon_.Watch(id, events).ok());
  EXPECT_EQ(daemon_.Get(id).state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(FailuresTest, ADeafWorkerIsEndedByForce) {
  const std::string id = daemon_.Submit("deaf");
  ASSERT_TRUE(daemon_.WaitForState(id, v1::JOB_STATE_RUNNING));
  grpc::ClientContext context;
  v1::CancelJobRequest request;
  request.set_id(id);
  v1::Job job;
  ASSERT_TRUE(daemon_.jobs().CancelJob(&context, request, &job).ok());
  EXPECT_TRUE(daemon_.WaitForState(id, v1::JOB_STATE_CANCELLED));
  EXPECT_TRUE(daemon_.WaitFor([&] { return daemon_.WorkerPids().empty(); }));
}

TEST_F(FailuresTest, ADataSetThatCrashesItsReaderIsRefusedAndTheServerStaysUp) {
  v1::Dataset dataset;
  const grpc::Status crash = daemon_.CreateDataset("crash", &dataset);
  EXPECT_EQ(crash.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_TRUE(absl::StrContains(crash.error_message(), "signal 11")) << crash.error_message();
  const grpc::Status bad = daemon_.CreateDataset("bad", &dataset);
  EXPECT_EQ(bad.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(absl::StrContains(bad.error_message(), "data.npz is truncated"));
  EXPECT_TRUE(daemon_.CreateDataset("good", &dataset).ok());
  EXPECT_EQ(dataset.train_samples(), 256);
}

}  // namespace
}  // namespace mantissa
