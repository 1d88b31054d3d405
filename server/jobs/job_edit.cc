#include "server/jobs/job_edit.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/jobs/state_machine.h"
#include "server/jobs/times.h"

namespace mantissa::jobs {
namespace {

using internal::v1::WorkerReport;

// Weight of the newest step in the running mean of samples a second.
constexpr double kNewestWeight = 0.1;

v1::JobEvent& NewEvent(absl::Time now, JobEdit& edit) {
  v1::JobEvent& event = edit.new_events.emplace_back();
  event.set_sequence(edit.job.last_sequence() + 1);
  event.set_attempt(edit.job.attempt());
  ToProto(now, *event.mutable_time());
  edit.job.set_last_sequence(event.sequence());
  return event;
}

void AddRate(const v1::StepDone& step, v1::JobProgress& progress) {
  const double seconds = absl::ToDoubleSeconds(FromProto(step.duration()));
  if (seconds <= 0) return;
  const double rate = step.samples() / seconds;
  const double before = progress.samples_per_second();
  progress.set_samples_per_second(before == 0 ? rate : before + kNewestWeight * (rate - before));
}

void AddStep(const v1::StepDone& step, v1::JobProgress& progress) {
  progress.set_step(step.step());
  progress.set_total_steps(step.total_steps());
  progress.set_epoch(step.epoch());
  progress.set_loss(step.loss());
  progress.set_loss_unrounded(step.loss_unrounded());
  progress.set_loss_scale(step.loss_scale());
  progress.set_skipped_steps(progress.skipped_steps() + (step.skipped() ? 1 : 0));
  progress.set_bits(step.bits());
  progress.set_ratio_low_bits(step.ratio_low_bits());
  progress.set_peak_memory_bytes(std::max(progress.peak_memory_bytes(), step.peak_memory_bytes()));
  AddRate(step, progress);
}

// Everything that tells of training: the job runs, even if `started` was lost.
void EnsureRunning(absl::Time now, JobEdit& edit) {
  if (edit.job.state() == v1::JOB_STATE_PLANNING) ChangeState(v1::JOB_STATE_RUNNING, now, edit);
}

void ApplyEnd(const WorkerReport& report, absl::Time now, JobEdit& edit) {
  switch (report.report_case()) {
    case WorkerReport::kSucceeded:
      EnsureRunning(now, edit);
      ChangeState(v1::JOB_STATE_SUCCEEDED, now, edit);
      break;
    case WorkerReport::kFailed: {
      const v1::FailureCause cause = report.failed().cause();
      Fail(cause == v1::FAILURE_CAUSE_UNSPECIFIED ? v1::FAILURE_CAUSE_INTERNAL : cause,
           report.failed().message(), now, edit);
      break;
    }
    case WorkerReport::kCancelled:
      // Else the worker was stopped by somebody's SIGTERM: its exit makes the job go on elsewhere.
      if (edit.cancel_requested) ChangeState(v1::JOB_STATE_CANCELLED, now, edit);
      break;
    default:
      break;
  }
}

}  // namespace

void ChangeState(v1::JobState to, absl::Time now, JobEdit& edit) {
  const v1::JobState from = edit.job.state();
  MANTISSA_CHECK(CanChange(from, to), "job ", edit.job.id(), " from ", StateName(from), " to ",
                 StateName(to));
  edit.job.set_state(to);
  if (to == v1::JOB_STATE_PLANNING) ToProto(now, *edit.job.mutable_start_time());
  if (IsEnd(to)) ToProto(now, *edit.job.mutable_end_time());
  v1::StateChanged& change = *NewEvent(now, edit).mutable_state_changed();
  change.set_from(from);
  change.set_to(to);
  if (to == v1::JOB_STATE_FAILED) *change.mutable_failure() = edit.job.failure();
}

void Fail(v1::FailureCause cause, absl::string_view message, absl::Time now, JobEdit& edit) {
  edit.job.mutable_failure()->set_cause(cause);
  edit.job.mutable_failure()->set_message(std::string(message));
  ChangeState(v1::JOB_STATE_FAILED, now, edit);
}

void AddNotice(absl::string_view message, absl::Time now, JobEdit& edit) {
  NewEvent(now, edit).mutable_notice()->set_message(std::string(message));
}

void AddPlan(const v1::Plan& plan, absl::Time now, JobEdit& edit) {
  edit.new_plan = plan;
  v1::Plan& summary = *NewEvent(now, edit).mutable_planned();
  summary = plan;
  summary.clear_tensors();
  if (summary.has_memory()) summary.mutable_memory()->clear_timeline();
}

v1::JobMemory SummaryOf(const v1::JobMemory& memory) {
  v1::JobMemory summary = memory;
  if (summary.has_measured()) summary.mutable_measured()->clear_timeline();
  if (summary.has_predicted()) summary.mutable_predicted()->clear_timeline();
  return summary;
}

void ApplyReport(const WorkerReport& report, absl::Time now, JobEdit& edit) {
  edit.last_report = report.number();
  if (IsEnd(edit.job.state())) return;
  v1::JobProgress& progress = *edit.job.mutable_progress();
  switch (report.report_case()) {
    case WorkerReport::kStarted:
      EnsureRunning(now, edit);
      progress.set_total_steps(report.started().total_steps());
      break;
    case WorkerReport::kStepDone:
      EnsureRunning(now, edit);
      // The checkpoint that the progress is of could not be used.
      if (report.step_done().step() == 1) progress.Clear();
      AddStep(report.step_done(), progress);
      *NewEvent(now, edit).mutable_step_done() = report.step_done();
      break;
    case WorkerReport::kTensorsPromoted:
      EnsureRunning(now, edit);
      progress.set_promoted_tensors(progress.promoted_tensors() +
                                    report.tensors_promoted().tensors_size());
      *NewEvent(now, edit).mutable_tensors_promoted() = report.tensors_promoted();
      break;
    case WorkerReport::kEvaluated:
      EnsureRunning(now, edit);
      *progress.mutable_evaluation() = report.evaluated();
      *NewEvent(now, edit).mutable_evaluated() = report.evaluated();
      break;
    case WorkerReport::kMemoryMeasured:
      EnsureRunning(now, edit);
      edit.new_memory = report.memory_measured();
      *NewEvent(now, edit).mutable_memory_measured() = SummaryOf(report.memory_measured());
      break;
    case WorkerReport::kNotice:
      AddNotice(report.notice().message(), now, edit);
      break;
    case WorkerReport::kCheckpointWritten:
      edit.checkpoint = report.checkpoint_written().name();
      edit.checkpoint_progress = progress;
      break;
    default:
      ApplyEnd(report, now, edit);
  }
}

void Requeue(absl::string_view why, absl::Time now, JobEdit& edit) {
  AddNotice(absl::StrCat(why, edit.checkpoint.empty()
                                  ? " The job starts again from the beginning."
                                  : absl::StrCat(" The job goes on from step ",
                                                 edit.checkpoint_progress.step(), ".")),
            now, edit);
  edit.job.clear_progress();
  if (!edit.checkpoint.empty()) *edit.job.mutable_progress() = edit.checkpoint_progress;
  ChangeState(v1::JOB_STATE_PENDING, now, edit);
}

}  // namespace mantissa::jobs
