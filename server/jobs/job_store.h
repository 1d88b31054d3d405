// server/jobs/job_store.h
//
// Jobs, their plans and events on disk. What Save and Insert return OK for survives a loss of
// power.
//
//   ASSIGN_OR_RETURN(JobEdit edit, store.Load(id));
//   AddNotice("...", now, edit);
//   RETURN_IF_ERROR(store.Save(edit));
//   ASSIGN_OR_RETURN(auto events, store.EventsAfter(id, 0, 100));
//
// Thread-safe, but Load and Save are two calls: JobManager lets one edit happen at a time.
#ifndef MANTISSA_SERVER_JOBS_JOB_STORE_H_
#define MANTISSA_SERVER_JOBS_JOB_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mantissa/v1/job.pb.h"
#include "server/jobs/job_edit.h"
#include "server/jobs/job_query.h"
#include "server/jobs/state_database.h"

namespace mantissa::jobs {

class JobStore {
 public:
  explicit JobStore(StateDatabase& state) : state_(state) {}

  // The job that was submitted with `request_id`, and a hash of its spec then.
  struct Submitted {
    std::string job_id;
    std::string spec_sha256;
  };
  absl::StatusOr<std::optional<Submitted>> FindRequest(absl::string_view request_id);

  // A new job with its labels, first events and request id (empty: none). FAILED_PRECONDITION if
  // its data set is gone.
  absl::Status Insert(const JobEdit& edit, absl::string_view request_id,
                      absl::string_view spec_sha256);

  // NOT_FOUND if there is no such job.
  absl::StatusOr<JobEdit> Load(absl::string_view id);
  // Writes the edit and its new events, and the last report's number to the worker's row.
  absl::Status Save(const JobEdit& edit);

  // As clients see it: with the summaries of plan and memory and the artifacts.
  absl::StatusOr<v1::Job> Get(absl::string_view id);
  // The newest first. `before` 0 starts at the newest.
  absl::StatusOr<JobPage> List(const JobFilter& filter, int64_t before, int limit);

  // Events with a higher sequence number, at most `limit` and about 1 MiB.
  absl::StatusOr<std::vector<v1::JobEvent>> EventsAfter(absl::string_view id, int64_t sequence,
                                                        int limit);
  // The full plan. NOT_FOUND before it was made.
  absl::StatusOr<v1::Plan> PlanOf(absl::string_view id);
  // With timelines. NOT_FOUND if there is no such job, FAILED_PRECONDITION before it was measured.
  absl::StatusOr<v1::JobMemory> MemoryOf(absl::string_view id);

  // Ids in a state, the oldest first.
  absl::StatusOr<std::vector<std::string>> IdsIn(v1::JobState state);
  absl::StatusOr<QueueState> Queue();
  // Pending jobs submitted before this one.
  absl::StatusOr<int64_t> PendingBefore(absl::string_view id);

 private:
  StateDatabase& state_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_JOB_STORE_H_
