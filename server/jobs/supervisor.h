// server/jobs/supervisor.h
//
// The thread that keeps jobs going: sees workers end, starts what waits, sweeps what is stale.
//
//   Supervisor supervisor(pool, runner, inspections, blobs, clock);
//   RETURN_IF_ERROR(supervisor.Start());  // after the worker service listens
//   supervisor.Wake();                    // a job was submitted
//   supervisor.Stop();                    // workers go on
#ifndef MANTISSA_SERVER_JOBS_SUPERVISOR_H_
#define MANTISSA_SERVER_JOBS_SUPERVISOR_H_

#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "server/jobs/blob_store.h"
#include "server/jobs/inspections.h"
#include "server/jobs/job_runner.h"
#include "server/jobs/worker_pool.h"

namespace mantissa::jobs {

class Supervisor {
 public:
  Supervisor(WorkerPool& pool, JobRunner& runner, Inspections& inspections, BlobStore& blobs,
             Clock& clock);
  ~Supervisor();

  // Takes up what an earlier server left, then starts the thread.
  absl::Status Start();
  void Wake();
  // Returns when the thread has ended. No worker is ended.
  void Stop();

  // One round; the thread does it ten times a second.
  void Tick();

 private:
  void Run();
  void HandleEnds();

  WorkerPool& pool_;
  JobRunner& runner_;
  Inspections& inspections_;
  BlobStore& blobs_;
  Clock& clock_;
  // Ends of workers that could not be written down yet.
  std::vector<WorkerEnd> ends_;
  absl::Duration next_sweep_;  // of Clock::Monotonic
  absl::Mutex mutex_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_SUPERVISOR_H_
