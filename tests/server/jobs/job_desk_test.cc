#include "server/jobs/job_desk.h"

#include <string>

#include "base/temp_folder.h"
#include "gtest/gtest.h"
#include "tests/server/jobs/world.h"

namespace mantissa::jobs {
namespace {

class JobDeskTest : public testing::Test {
 protected:
  JobDeskTest() : world_(folder_.path(), "sleep 100", {.max_pending = 3}) {
    world_.AddDataset("digits");
  }
  TempFolder folder_;
  World world_;
};

TEST_F(JobDeskTest, TheSameKeyAndSpecReturnTheFirstJob) {
  v1::SubmitJobRequest request = world_.Request("digits");
  request.set_request_id("key-1");
  (*request.mutable_spec()->mutable_labels())["a"] = "1";
  (*request.mutable_spec()->mutable_labels())["b"] = "2";
  const v1::Job first = *world_.desk.Submit(request);
  EXPECT_EQ(world_.desk.Submit(request)->id(), first.id());
  World again(folder_.path(), "sleep 100");
  EXPECT_EQ(again.desk.Submit(request)->id(), first.id());
}

TEST_F(JobDeskTest, TheSameKeyWithAnotherSpecAlreadyExists) {
  v1::SubmitJobRequest request = world_.Request("digits");
  request.set_request_id("key-1");
  ASSERT_TRUE(world_.desk.Submit(request).ok());
  request.mutable_spec()->mutable_training()->set_epochs(3);
  const absl::Status status = world_.desk.Submit(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(status.message().find("key-1"), std::string::npos) << status;
}

TEST_F(JobDeskTest, WithoutAKeyEachSubmitIsAJobOfItsOwn) {
  EXPECT_NE(world_.MustSubmit("digits").id(), world_.MustSubmit("digits").id());
}

TEST_F(JobDeskTest, AFullQueueIsAResourceExhausted) {
  for (int i = 0; i < 3; ++i) world_.MustSubmit("digits");
  const absl::Status status = world_.desk.Submit(world_.Request("digits")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("--max-queued-jobs"), std::string::npos) << status;
}

TEST_F(JobDeskTest, UnknownDataSetAndModelAreNotFound) {
  EXPECT_EQ(world_.desk.Submit(world_.Request("letters")).status().code(),
            absl::StatusCode::kNotFound);
  v1::SubmitJobRequest request = world_.Request("digits");
  request.mutable_spec()->mutable_model()->set_model("builtin:none");
  EXPECT_EQ(world_.desk.Submit(request).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JobDeskTest, WeightsToStartFromMustBeUploaded) {
  v1::SubmitJobRequest request = world_.Request("digits");
  request.mutable_spec()->mutable_training()->set_init_sha256(std::string(64, 'a'));
  EXPECT_EQ(world_.desk.Submit(request).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(JobDeskTest, ARefusedJobLeavesNoTrace) {
  v1::SubmitJobRequest request = world_.Request("digits");
  request.set_request_id("key-1");
  request.mutable_spec()->mutable_training()->set_batch_size(257);
  EXPECT_EQ(world_.desk.Submit(request).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(world_.desk.List({}, 0, 10)->jobs.empty());
  request.mutable_spec()->mutable_training()->set_batch_size(256);
  EXPECT_TRUE(world_.desk.Submit(request).ok());
}

TEST_F(JobDeskTest, ABudgetThatCannotBeMetIsRefusedAndLeavesNoTrace) {
  v1::SubmitJobRequest request = world_.Request("digits");
  request.set_request_id("key-1");
  request.mutable_spec()->mutable_precision()->set_memory_bytes(900);
  const absl::Status status = world_.desk.Submit(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("too large by 100"), std::string::npos) << status;
  EXPECT_TRUE(world_.desk.List({}, 0, 10)->jobs.empty());
  request.mutable_spec()->mutable_precision()->set_memory_bytes(1000);
  EXPECT_TRUE(world_.desk.Submit(request).ok());
}

TEST_F(JobDeskTest, APlanIsShownWithoutTensorsAndTimeline) {
  const std::string id = world_.MustSubmit("digits").id();
  ASSERT_TRUE(
      world_.TickUntil([&] { return world_.MustGet(id).state() != v1::JOB_STATE_PENDING; }));
  const v1::Plan shown = world_.MustGet(id).plan();
  const v1::Plan planned = world_.Events(id)[2].planned();
  for (const v1::Plan& plan : {shown, planned}) {
    EXPECT_EQ(plan.memory().peak_bytes(), 1000);
    EXPECT_EQ(plan.recompute_size(), 1);
    EXPECT_EQ(plan.memory().timeline_size(), 0);
    EXPECT_EQ(plan.tensors_size(), 0);
  }
  const v1::Job listed = world_.desk.List({}, 0, 10)->jobs.at(0);
  EXPECT_EQ(listed.plan().memory().peak_bytes(), 1000);
  EXPECT_EQ(listed.plan().recompute_size(), 0);
  EXPECT_EQ(listed.plan().groups_size(), 0);
  const v1::Plan whole = *world_.store.PlanOf(id);
  EXPECT_EQ(whole.memory().timeline_size(), 1);
  EXPECT_EQ(whole.tensors_size(), 1);
}

TEST_F(JobDeskTest, APendingJobSaysWhyItWaits) {
  world_.MustSubmit("digits");
  const v1::Job second = world_.MustSubmit("digits");
  EXPECT_NE(second.pending_reason().find("1 wait before"), std::string::npos)
      << second.pending_reason();
}

TEST_F(JobDeskTest, CancellingAPendingJobEndsItAtOnceAndAgainIsTheSame) {
  const v1::Job job = world_.MustSubmit("digits");
  EXPECT_EQ(world_.desk.Cancel(job.id())->state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(world_.desk.Cancel(job.id())->state(), v1::JOB_STATE_CANCELLED);
  const EventBatch batch = *world_.desk.EventsAfter(job.id(), 0, 10);
  EXPECT_TRUE(batch.ended);
  EXPECT_EQ(batch.events.back().state_changed().to(), v1::JOB_STATE_CANCELLED);
  EXPECT_TRUE(world_.desk.EventsAfter(job.id(), 2, 10)->ended);
}

TEST_F(JobDeskTest, AnEndedJobCannotBeCancelled) {
  World world(folder_.path(), "exit 0");
  v1::SubmitJobRequest request = world.Request("digits");
  request.mutable_spec()->set_max_retries(0);
  const std::string id = world.desk.Submit(request)->id();
  ASSERT_TRUE(world.TickUntilState(id, v1::JOB_STATE_FAILED));
  const absl::Status status = world.desk.Cancel(id).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("FAILED"), std::string::npos);
}

TEST_F(JobDeskTest, EventsOfNoJobAreNotFound) {
  EXPECT_EQ(world_.desk.EventsAfter("job-none", 0, 10).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace mantissa::jobs
