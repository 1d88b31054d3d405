#include "server/jobs/job_ledger.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/jobs/errors.h"

namespace mantissa::jobs {

absl::StatusOr<v1::Job> JobLedger::Edit(absl::string_view id,
                                        absl::FunctionRef<absl::Status(JobEdit&)> edit) {
  absl::MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(JobEdit current, store_.Load(id));
  RETURN_IF_ERROR(edit(current));
  RETURN_IF_ERROR(store_.Save(current));
  Tell(current);
  return std::move(current.job);
}

absl::Status JobLedger::Add(const JobEdit& edit, absl::string_view request_id,
                            absl::string_view spec_sha256, int64_t max_pending) {
  absl::MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(QueueState queue, store_.Queue());
  if (queue.jobs_by_state[v1::JOB_STATE_PENDING] >= max_pending) {
    return OverLimit("queue", absl::StrCat("The queue is full: ", max_pending,
                                           " jobs wait, as many as may. Try again later, or start "
                                           "mantissad with a larger --max-queued-jobs."));
  }
  RETURN_IF_ERROR(store_.Insert(edit, request_id, spec_sha256));
  Tell(edit);
  return absl::OkStatus();
}

void JobLedger::Tell(const JobEdit& edit) {
  for (const v1::JobEvent& event : edit.new_events) observer_.OnEvent(edit.job, event);
  notifier_.Notify(edit.job.id());
}

}  // namespace mantissa::jobs
