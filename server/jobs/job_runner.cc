#include "server/jobs/job_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "server/jobs/errors.h"
#include "server/jobs/job_rows.h"
#include "server/jobs/job_spec.h"
#include "server/jobs/state_machine.h"

namespace mantissa::jobs {
namespace {

using internal::v1::WorkerReport;

// From a start that could not be written down (a full disk) to the next try.
constexpr absl::Duration kFailedWriteDelay = absl::Seconds(10);

v1::FailureCause CauseOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
      return v1::FAILURE_CAUSE_BAD_REQUEST;
    case absl::StatusCode::kResourceExhausted:
      return v1::FAILURE_CAUSE_DISK_FULL;
    default:
      return v1::FAILURE_CAUSE_INTERNAL;
  }
}

std::string Remedy(v1::FailureCause cause) {
  switch (cause) {
    case v1::FAILURE_CAUSE_OUT_OF_MEMORY:
      return " Use a smaller batch or model, or a machine with more memory.";
    case v1::FAILURE_CAUSE_WORKER_LOST:
      return " The machine may be overloaded; submit the job again.";
    default:
      return " Its log tells more; submit the job again.";
  }
}

}  // namespace

JobRunner::JobRunner(Parts parts, RunnerOptions options)
    : parts_(parts), options_(std::move(options)) {}

std::string JobRunner::LogPath(absl::string_view id) const {
  return JoinPath(options_.data_dir, "jobs", id, "log");
}

absl::StatusOr<internal::v1::Task> JobRunner::TaskOf(absl::string_view id, int32_t attempt) {
  ASSIGN_OR_RETURN(const JobEdit edit, parts_.store.Load(id));
  if (edit.job.attempt() != attempt || IsEnd(edit.job.state())) {
    return absl::UnauthenticatedError(
        absl::StrCat("Attempt ", attempt, " of job ", id, " is over. The worker should end."));
  }
  internal::v1::Task task;
  internal::v1::TrainTask& train = *task.mutable_train();
  train.set_job_id(std::string(id));
  train.set_attempt(attempt);
  *train.mutable_spec() = edit.job.spec();
  ASSIGN_OR_RETURN(*train.mutable_plan(), parts_.store.PlanOf(id));
  ASSIGN_OR_RETURN(*train.mutable_dataset(), parts_.datasets.Get(edit.job.spec().dataset()));
  train.set_checkpoint(edit.checkpoint);
  if (const std::string name = UploadedModelOf(edit.job.spec()); !name.empty()) {
    ASSIGN_OR_RETURN(const v1::Model model, parts_.models.Get(name));
    v1::CreateModelRequest& upload = *train.mutable_model();
    upload.set_name(name);
    upload.set_sha256(model.sha256());
    upload.set_size_bytes(model.size_bytes());
    upload.set_file_name(model.file_name());
  }
  return task;
}

absl::StatusOr<int64_t> JobRunner::Report(absl::string_view id, int32_t attempt,
                                          const std::vector<WorkerReport>& reports) {
  ASSIGN_OR_RETURN(int64_t last, parts_.workers.LastReport(id, attempt));
  if (std::all_of(reports.begin(), reports.end(),
                  [last](const WorkerReport& report) { return report.number() <= last; })) {
    return last;
  }
  ASSIGN_OR_RETURN(const v1::Job job, parts_.ledger.Edit(id, [&](JobEdit& edit) -> absl::Status {
    // Back in the queue: its worker has ended, and this comes late.
    if (edit.job.attempt() != attempt || edit.job.state() == v1::JOB_STATE_PENDING) {
      return absl::UnauthenticatedError("This attempt is over. The worker should end.");
    }
    // Again, now that nobody else edits: a broken stream and its successor may bring the same
    // reports at the same time.
    ASSIGN_OR_RETURN(last, parts_.workers.LastReport(id, attempt));
    const absl::Time now = parts_.clock.Now();
    for (const WorkerReport& report : reports) {
      if (report.number() <= last) continue;
      if (report.number() != last + 1) {
        return absl::OutOfRangeError(absl::StrCat("Report ", report.number(), " came after ", last,
                                                  ". Send again from ", last + 1, "."));
      }
      last = report.number();
      ApplyReport(report, now, edit);
    }
    return absl::OkStatus();
  }));
  if (IsEnd(job.state())) parts_.pool.ExpectExit(id);
  return last;
}

absl::Status JobRunner::Recover() {
  for (const v1::JobState state : {v1::JOB_STATE_PLANNING, v1::JOB_STATE_RUNNING}) {
    ASSIGN_OR_RETURN(const std::vector<std::string> ids, parts_.store.IdsIn(state));
    for (const std::string& id : ids) {
      if (parts_.pool.Has(id)) continue;
      RETURN_IF_ERROR(parts_.ledger.Edit(id, [&](JobEdit& edit) {
        const absl::Time now = parts_.clock.Now();
        if (edit.cancel_requested) {
          ChangeState(v1::JOB_STATE_CANCELLED, now, edit);
        } else {
          Requeue("The server was stopped while the job had no worker.", now, edit);
        }
        return absl::OkStatus();
      }));
    }
  }
  // A command to cancel does not outlive a server, the wish does.
  for (const std::string& task : parts_.pool.Tasks()) {
    const absl::StatusOr<JobEdit> edit = parts_.store.Load(task);
    if (edit.ok() && edit->cancel_requested) parts_.pool.Cancel(task);
    if (edit.ok() && IsEnd(edit->job.state())) parts_.pool.ExpectExit(task);
  }
  return absl::OkStatus();
}

void JobRunner::StartPending() {
  RetryFailures();
  const absl::StatusOr<std::vector<std::string>> ids = parts_.store.IdsIn(v1::JOB_STATE_PENDING);
  if (!ids.ok()) {
    LogError("can't read the queue: ", ids.status().ToString());
    return;
  }
  for (const std::string& id : *ids) {
    if (parts_.pool.Count("job-") >= options_.max_running) return;
    const auto wait = not_before_.find(id);
    if (wait != not_before_.end() && parts_.clock.Monotonic() < wait->second) continue;
    if (wait != not_before_.end()) not_before_.erase(wait);
    const absl::Status status = StartJob(id);
    if (!status.ok()) FailToStart(id, status);
  }
}

absl::Status JobRunner::StartJob(const std::string& id) {
  ASSIGN_OR_RETURN(const v1::Job job, parts_.ledger.Edit(id, [&](JobEdit& edit) {
    if (edit.job.state() != v1::JOB_STATE_PENDING) return absl::OkStatus();  // cancelled just now
    edit.job.set_attempt(edit.job.attempt() + 1);
    ChangeState(v1::JOB_STATE_PLANNING, parts_.clock.Now(), edit);
    return absl::OkStatus();
  }));
  if (job.state() != v1::JOB_STATE_PLANNING) return absl::OkStatus();
  RETURN_IF_ERROR(PlanJob(job));
  RETURN_IF_ERROR(parts_.files.MakeFolders(ParentPath(LogPath(id))));
  RETURN_IF_ERROR(parts_.pool.Start(id, job.attempt(), LogPath(id)));
  // Cancelled between PLANNING and now: nobody told the worker.
  ASSIGN_OR_RETURN(const JobEdit now, parts_.store.Load(id));
  if (now.cancel_requested) parts_.pool.Cancel(id);
  return absl::OkStatus();
}

absl::Status JobRunner::PlanJob(const v1::Job& job) {
  const absl::StatusOr<v1::Plan> known = parts_.store.PlanOf(job.id());
  if (known.ok()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const v1::Plan plan, parts_.planner.MakePlan(PlanRequestOf(job.spec())));
  return parts_.ledger
      .Edit(job.id(),
            [&](JobEdit& edit) {
              AddPlan(plan, parts_.clock.Now(), edit);
              return absl::OkStatus();
            })
      .status();
}

void JobRunner::FailToStart(absl::string_view id, const absl::Status& why) {
  LogError("job ", id, " can't start: ", why.ToString());
  const absl::StatusOr<v1::Job> job = parts_.ledger.Edit(id, [&](JobEdit& edit) {
    if (IsEnd(edit.job.state())) return absl::OkStatus();
    Fail(CauseOf(why), why.message(), parts_.clock.Now(), edit);
    return absl::OkStatus();
  });
  if (job.ok()) return;
  LogError("and its failure can't be kept: ", job.status().ToString());
  not_before_[std::string(id)] = parts_.clock.Monotonic() + kFailedWriteDelay;
  unkept_failures_[std::string(id)] = why;
}

void JobRunner::RetryFailures() {
  for (const auto& [id, why] : std::exchange(unkept_failures_, {})) {
    if (parts_.clock.Monotonic() < not_before_[id]) {
      unkept_failures_[id] = why;
      continue;
    }
    const absl::StatusOr<JobEdit> edit = parts_.store.Load(id);
    // One that is still in the queue starts anew.
    if (edit.ok() && edit->job.state() == v1::JOB_STATE_PENDING) continue;
    not_before_.erase(id);
    FailToStart(id, why);
  }
}

void JobRunner::HandleEnd(const WorkerEnd& end, JobEdit& edit) {
  const absl::Time now = parts_.clock.Now();
  if (edit.cancel_requested) return ChangeState(v1::JOB_STATE_CANCELLED, now, edit);
  parts_.observer.OnWorkerDied(end.cause);
  const std::string what = absl::StrCat("The worker of attempt ", end.attempt, " ", end.how, ".");
  if (edit.retries < edit.job.spec().max_retries()) {
    ++edit.retries;
    not_before_[edit.job.id()] = parts_.clock.Monotonic() + options_.retry_delay;
    return Requeue(what, now, edit);
  }
  Fail(end.cause, absl::StrCat(what, Remedy(end.cause)), now, edit);
}

absl::Status JobRunner::WorkerEnded(const WorkerEnd& end) {
  ASSIGN_OR_RETURN(const v1::Job job, parts_.ledger.Edit(end.task, [&](JobEdit& edit) {
    const bool over = IsEnd(edit.job.state()) || edit.job.attempt() != end.attempt;
    if (!over) HandleEnd(end, edit);
    return absl::OkStatus();
  }));
  if (IsEnd(job.state())) AfterEnd(end.task);
  return absl::OkStatus();
}

void JobRunner::AfterEnd(absl::string_view id) {
  not_before_.erase(std::string(id));
  const absl::Status status = parts_.artifacts.RemoveHidden(id);
  if (!status.ok()) LogWarning("checkpoints of ", id, " stay: ", status.ToString());
}

}  // namespace mantissa::jobs
