// server/jobs/job_runner.h
//
// Brings jobs from the queue to their end: plans them, gives them workers, takes the workers'
// reports, tries again when one dies.
//
//   runner.Recover();        // after the server's start
//   runner.StartPending();   // whenever there may be room
//   runner.WorkerEnded(end);  // for each end that the pool collected
//
// Thread-safe, but the three above are for one thread.
#ifndef MANTISSA_SERVER_JOBS_JOB_RUNNER_H_
#define MANTISSA_SERVER_JOBS_JOB_RUNNER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/file.h"
#include "mantissa/internal/v1/worker.pb.h"
#include "server/jobs/artifact_store.h"
#include "server/jobs/dataset_store.h"
#include "server/jobs/job_ledger.h"
#include "server/jobs/job_planner.h"
#include "server/jobs/job_store.h"
#include "server/jobs/model_store.h"
#include "server/jobs/observer.h"
#include "server/jobs/worker_pool.h"

namespace mantissa::jobs {

struct RunnerOptions {
  // Jobs with a worker at a time.
  int max_running = 1;
  // Logs are DATA_DIR/jobs/ID/log.
  std::string data_dir;
  // From a worker's death to the next attempt.
  absl::Duration retry_delay = absl::Seconds(1);
};

class JobRunner {
 public:
  struct Parts {
    JobStore& store;
    JobLedger& ledger;
    WorkerStore& workers;
    WorkerPool& pool;
    DatasetStore& datasets;
    ModelStore& models;
    ArtifactStore& artifacts;
    JobPlanner& planner;
    FileSystem& files;
    Clock& clock;
    Observer& observer;
  };
  JobRunner(Parts parts, RunnerOptions options);

  // What the worker of an attempt has to do.
  absl::StatusOr<internal::v1::Task> TaskOf(absl::string_view id, int32_t attempt);

  // Keeps the reports that are new and returns the number up to which all are kept. OUT_OF_RANGE
  // if one is missing before them. Numbers 0 are only signs of life.
  absl::StatusOr<int64_t> Report(absl::string_view id, int32_t attempt,
                                 const std::vector<internal::v1::WorkerReport>& reports);

  // Jobs that were running when the server died and have no worker go back to the queue.
  // REQUIRES: the pool was restored.
  absl::Status Recover();
  void StartPending();
  // An error means that it could not be kept: call again.
  absl::Status WorkerEnded(const WorkerEnd& end);

  std::string LogPath(absl::string_view id) const;

 private:
  // To PLANNING; then the plan; then the worker. An error fails the job.
  absl::Status StartJob(const std::string& id);
  absl::Status PlanJob(const v1::Job& job);
  void FailToStart(absl::string_view id, const absl::Status& why);
  // Those that could not be kept, for instance because the disk was full.
  void RetryFailures();
  void HandleEnd(const WorkerEnd& end, JobEdit& edit);
  void AfterEnd(absl::string_view id);

  Parts parts_;
  const RunnerOptions options_;
  // When a job may start again; only of jobs whose start or worker failed a moment ago.
  std::map<std::string, absl::Duration> not_before_;
  // Why jobs could not start, where that is not on disk yet.
  std::map<std::string, absl::Status> unkept_failures_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_JOB_RUNNER_H_
