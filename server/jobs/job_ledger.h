// server/jobs/job_ledger.h
//
// The one way to change a job: read, edit, write, tell, one at a time.
//
//   absl::StatusOr<v1::Job> job = ledger.Edit(id, [&](JobEdit& edit) {
//     ChangeState(v1::JOB_STATE_PLANNING, clock.Now(), edit);
//     return absl::OkStatus();
//   });
//
// Thread-safe. The edit runs under a lock: it must not wait for anything or call the ledger.
#ifndef MANTISSA_SERVER_JOBS_JOB_LEDGER_H_
#define MANTISSA_SERVER_JOBS_JOB_LEDGER_H_

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "mantissa/v1/job.pb.h"
#include "server/jobs/job_edit.h"
#include "server/jobs/job_store.h"
#include "server/jobs/notifier.h"
#include "server/jobs/observer.h"

namespace mantissa::jobs {

class JobLedger {
 public:
  JobLedger(JobStore& store, Notifier& notifier, Observer& observer)
      : store_(store), notifier_(notifier), observer_(observer) {}

  // The job after the edit. If `edit` fails nothing is changed and its error is returned.
  absl::StatusOr<v1::Job> Edit(absl::string_view id,
                               absl::FunctionRef<absl::Status(JobEdit&)> edit);

  // Adds a job; at most `max_pending` may wait, else RESOURCE_EXHAUSTED.
  absl::Status Add(const JobEdit& edit, absl::string_view request_id, absl::string_view spec_sha256,
                   int64_t max_pending);

 private:
  void Tell(const JobEdit& edit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  JobStore& store_;
  Notifier& notifier_;
  Observer& observer_;
  absl::Mutex mutex_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_JOB_LEDGER_H_
