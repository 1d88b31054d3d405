#include "server/jobs/job_edit.h"

#include "gtest/gtest.h"
#include "server/jobs/state_machine.h"
#include "tests/server/jobs/world.h"

namespace mantissa::jobs {
namespace {

using internal::v1::WorkerReport;

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

JobEdit InState(v1::JobState state) {
  JobEdit edit;
  edit.job.set_id("job-1");
  edit.job.set_attempt(1);
  edit.job.set_state(state);
  return edit;
}

TEST(JobEdit, NumbersEventsWithoutGap) {
  JobEdit edit = InState(v1::JOB_STATE_RUNNING);
  edit.job.set_last_sequence(41);
  ApplyReport(StepReport(1, 1), kNow, edit);
  ApplyReport(StepReport(2, 2), kNow, edit);
  ASSERT_EQ(edit.new_events.size(), 2u);
  EXPECT_EQ(edit.new_events[0].sequence(), 42);
  EXPECT_EQ(edit.new_events[1].sequence(), 43);
  EXPECT_EQ(edit.job.last_sequence(), 43);
  EXPECT_EQ(edit.last_report, 2);
}

TEST(JobEdit, StepsBecomeProgress) {
  JobEdit edit = InState(v1::JOB_STATE_RUNNING);
  WorkerReport skipped = StepReport(1, 1);
  skipped.mutable_step_done()->set_skipped(true);
  ApplyReport(skipped, kNow, edit);
  ApplyReport(StepReport(2, 2), kNow, edit);
  EXPECT_EQ(edit.job.progress().step(), 2);
  EXPECT_EQ(edit.job.progress().total_steps(), 100);
  EXPECT_EQ(edit.job.progress().skipped_steps(), 1);
  EXPECT_DOUBLE_EQ(edit.job.progress().samples_per_second(), 1280);
}

TEST(JobEdit, ProgressKeepsTheLargestPeakOfAllSteps) {
  JobEdit edit = InState(v1::JOB_STATE_RUNNING);
  for (const int64_t step : {1, 2, 3}) {
    WorkerReport report = StepReport(step, step);
    report.mutable_step_done()->set_peak_memory_bytes(step == 2 ? 500 : 100);
    ApplyReport(report, kNow, edit);
  }
  EXPECT_EQ(edit.job.progress().peak_memory_bytes(), 500);
}

TEST(JobEdit, MeasuredMemoryIsKeptWholeAndToldWithoutTimelines) {
  JobEdit edit = InState(v1::JOB_STATE_RUNNING);
  ApplyReport(MemoryReport(1), kNow, edit);
  ASSERT_TRUE(edit.new_memory.has_value());
  EXPECT_EQ(edit.new_memory->measured().timeline_size(), 1);
  EXPECT_EQ(edit.new_memory->predicted().timeline_size(), 1);
  const v1::JobMemory& told = edit.new_events.back().memory_measured();
  EXPECT_EQ(told.measured().timeline_size() + told.predicted().timeline_size(), 0);
  EXPECT_EQ(told.measured().peak().operator_(), "relu1");
  EXPECT_EQ(told.predicted().peak_bytes(), 1000);
}

TEST(JobEdit, TheFirstReportOfTrainingMakesTheJobRun) {
  JobEdit edit = InState(v1::JOB_STATE_PLANNING);
  WorkerReport started;
  started.set_number(1);
  started.mutable_started()->set_total_steps(8);
  ApplyReport(started, kNow, edit);
  EXPECT_EQ(edit.job.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(edit.job.progress().total_steps(), 8);
}

TEST(JobEdit, NoEventFollowsTheOneThatEndsTheJob) {
  JobEdit edit = InState(v1::JOB_STATE_RUNNING);
  WorkerReport done;
  done.set_number(1);
  done.mutable_succeeded();
  ApplyReport(done, kNow, edit);
  ASSERT_EQ(edit.job.state(), v1::JOB_STATE_SUCCEEDED);
  ApplyReport(StepReport(2, 1), kNow, edit);
  ASSERT_EQ(edit.new_events.size(), 1u);
  EXPECT_EQ(edit.new_events[0].state_changed().to(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(edit.last_report, 2) << "it is acknowledged nevertheless";
}

TEST(JobEdit, AReportedFailureKeepsCauseAndMessage) {
  JobEdit edit = InState(v1::JOB_STATE_RUNNING);
  WorkerReport failed;
  failed.set_number(1);
  failed.mutable_failed()->set_cause(v1::FAILURE_CAUSE_DIVERGED);
  failed.mutable_failed()->set_message("The loss is not finite.");
  ApplyReport(failed, kNow, edit);
  EXPECT_EQ(edit.job.failure().cause(), v1::FAILURE_CAUSE_DIVERGED);
  EXPECT_EQ(edit.new_events.back().state_changed().failure().message(), "The loss is not finite.");
}

TEST(JobEdit, CancelledCountsOnlyWhereItWasAskedFor) {
  WorkerReport cancelled;
  cancelled.set_number(1);
  cancelled.mutable_cancelled();
  JobEdit edit = InState(v1::JOB_STATE_RUNNING);
  ApplyReport(cancelled, kNow, edit);
  EXPECT_EQ(edit.job.state(), v1::JOB_STATE_RUNNING);
  edit.cancel_requested = true;
  ApplyReport(cancelled, kNow, edit);
  EXPECT_EQ(edit.job.state(), v1::JOB_STATE_CANCELLED);
}

TEST(JobEdit, RequeueTakesProgressBackToTheCheckpoint) {
  JobEdit edit = InState(v1::JOB_STATE_RUNNING);
  ApplyReport(StepReport(1, 1), kNow, edit);
  WorkerReport checkpoint;
  checkpoint.set_number(2);
  checkpoint.mutable_checkpoint_written()->set_name("checkpoint.safetensors");
  ApplyReport(checkpoint, kNow, edit);
  ApplyReport(StepReport(3, 2), kNow, edit);
  Requeue("The worker died.", kNow, edit);
  EXPECT_EQ(edit.job.state(), v1::JOB_STATE_PENDING);
  EXPECT_EQ(edit.job.progress().step(), 1);
  EXPECT_EQ(edit.checkpoint, "checkpoint.safetensors");
}

TEST(JobEdit, ATrainingThatStartsAnewCountsFromNothing) {
  JobEdit edit = InState(v1::JOB_STATE_PLANNING);
  edit.job.mutable_progress()->set_step(50);  // of a checkpoint that has gone
  edit.job.mutable_progress()->set_skipped_steps(7);
  edit.job.mutable_progress()->set_promoted_tensors(3);
  ApplyReport(StepReport(1, 1), kNow, edit);
  EXPECT_EQ(edit.job.progress().step(), 1);
  EXPECT_EQ(edit.job.progress().skipped_steps(), 0);
  EXPECT_EQ(edit.job.progress().promoted_tensors(), 0);
}

TEST(JobEdit, RequeueWithoutCheckpointStartsFromNothing) {
  JobEdit edit = InState(v1::JOB_STATE_RUNNING);
  ApplyReport(StepReport(1, 1), kNow, edit);
  Requeue("The worker died.", kNow, edit);
  EXPECT_FALSE(edit.job.has_progress());
}

}  // namespace
}  // namespace mantissa::jobs
