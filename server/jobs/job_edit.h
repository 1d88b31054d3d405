// server/jobs/job_edit.h
//
// A job as it is stored, and the pure steps that change it: each appends the events it makes.
// JobStore::Save writes both in one transaction.
//
//   JobEdit edit = *store.Load(id);
//   ApplyReport(report, now, edit);       // a worker's report becomes events and progress
//   RETURN_IF_ERROR(store.Save(edit));
//
// Plain data, no locks.
#ifndef MANTISSA_SERVER_JOBS_JOB_EDIT_H_
#define MANTISSA_SERVER_JOBS_JOB_EDIT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "mantissa/internal/v1/worker.pb.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::jobs {

struct JobEdit {
  // Without plan, memory, artifacts and pending_reason, which the store adds where they are asked
  // for.
  v1::Job job;
  bool cancel_requested = false;
  // Deaths of workers that were followed by another attempt.
  int32_t retries = 0;
  // Newest checkpoint artifact, empty if there is none, and the progress at its step.
  std::string checkpoint;
  v1::JobProgress checkpoint_progress;

  // To be saved with it:
  std::vector<v1::JobEvent> new_events;
  // The full plan, if it was made now.
  std::optional<v1::Plan> new_plan;
  // Memory with its timelines, if it was measured now.
  std::optional<v1::JobMemory> new_memory;
  // Number of the last report that was applied, for the worker's row; 0: none was.
  int64_t last_report = 0;
};

// Changes the state, sets start and end times, appends the event. REQUIRES: CanChange.
void ChangeState(v1::JobState to, absl::Time now, JobEdit& edit);
// The same to JOB_STATE_FAILED.
void Fail(v1::FailureCause cause, absl::string_view message, absl::Time now, JobEdit& edit);

// Appends a remark.
void AddNotice(absl::string_view message, absl::Time now, JobEdit& edit);

// Keeps the plan and appends its event.
void AddPlan(const v1::Plan& plan, absl::Time now, JobEdit& edit);

// Without the timelines, which are too much for events and lists.
v1::JobMemory SummaryOf(const v1::JobMemory& memory);

// Applies a worker's report of the job's current attempt. A job that has ended takes no more.
void ApplyReport(const internal::v1::WorkerReport& report, absl::Time now, JobEdit& edit);

// Back to the queue after a worker's end: progress as at the checkpoint, or none.
void Requeue(absl::string_view why, absl::Time now, JobEdit& edit);

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_JOB_EDIT_H_
