// server/jobs/job_desk.h
//
// What clients do with jobs.
//
//   ASSIGN_OR_RETURN(v1::Job job, desk.Submit(request));
//   ASSIGN_OR_RETURN(EventBatch batch, desk.EventsAfter(job.id(), 0, 100));
//   desk.Cancel(job.id());
//
// Thread-safe.
#ifndef MANTISSA_SERVER_JOBS_JOB_DESK_H_
#define MANTISSA_SERVER_JOBS_JOB_DESK_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "mantissa/v1/job.pb.h"
#include "server/jobs/artifact_store.h"
#include "server/jobs/blob_store.h"
#include "server/jobs/dataset_store.h"
#include "server/jobs/job_ledger.h"
#include "server/jobs/job_planner.h"
#include "server/jobs/job_store.h"
#include "server/jobs/model_store.h"
#include "server/jobs/worker_pool.h"

namespace mantissa::jobs {

struct DeskOptions {
  int max_running = 1;
  int64_t max_pending = 1000;
  // Threads of a worker where the job does not say.
  int32_t default_threads = 1;
};

struct EventBatch {
  std::vector<v1::JobEvent> events;
  // The last of them ends the job: no other will follow.
  bool ended = false;
};

class JobDesk {
 public:
  struct Parts {
    JobStore& store;
    JobLedger& ledger;
    DatasetStore& datasets;
    ModelStore& models;
    BlobStore& blobs;
    ArtifactStore& artifacts;
    WorkerPool& pool;
    JobPlanner& planner;
    Clock& clock;
  };

  // `wake` makes the supervisor look at the queue.
  JobDesk(Parts parts, DeskOptions options, std::function<void()> wake);

  // As JobService.SubmitJob says.
  absl::StatusOr<v1::Job> Submit(const v1::SubmitJobRequest& request);
  absl::StatusOr<v1::Job> Get(absl::string_view id);
  // As JobService.GetJobMemory says.
  absl::StatusOr<v1::JobMemory> Memory(absl::string_view id) { return parts_.store.MemoryOf(id); }
  absl::StatusOr<JobPage> List(const JobFilter& filter, int64_t before, int limit);
  absl::StatusOr<v1::Job> Cancel(absl::string_view id);
  // NOT_FOUND if there is no such job.
  absl::StatusOr<EventBatch> EventsAfter(absl::string_view id, int64_t sequence, int limit);

 private:
  // Fills in defaults and checks all that can be known before the start.
  absl::Status CheckAndFill(v1::JobSpec& spec);
  absl::StatusOr<v1::Job> Known(const JobStore::Submitted& known, absl::string_view request_id,
                                absl::string_view spec_sha256);
  absl::Status AddPendingReason(v1::Job& job);

  Parts parts_;
  const DeskOptions options_;
  const std::function<void()> wake_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_JOB_DESK_H_
