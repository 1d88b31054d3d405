// server/jobs/worker_pool.h
//
// The worker processes of a server: starts them, knows them by their tokens, cancels them, sees
// them end. It does not know what they work on.
//
//   RETURN_IF_ERROR(pool.Restore());  // those that an earlier server started
//   RETURN_IF_ERROR(pool.Start("job-1", /*attempt=*/1, log_path));
//   ASSIGN_OR_RETURN(int attempt, pool.Authenticate("job-1", token));  // a worker calls
//   for (const WorkerEnd& end : pool.Collect()) ...                    // a few times a second
//
// A token is good for one attempt, until its worker's end was collected. Only its hash is kept.
// Thread-safe.
#ifndef MANTISSA_SERVER_JOBS_WORKER_POOL_H_
#define MANTISSA_SERVER_JOBS_WORKER_POOL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/file.h"
#include "mantissa/v1/job.pb.h"
#include "server/jobs/notifier.h"
#include "server/jobs/observer.h"
#include "server/jobs/worker_store.h"

namespace mantissa::jobs {

struct WorkerOptions {
  // Path of the program.
  std::string program;
  // Where workers dial the server: "unix:/path".
  std::string server_address;
  // What they train on, as mantissa-worker takes it.
  std::string device = "auto";
  // Parent of the scratch folders, one a task.
  std::string work_dir;
  // A worker that says nothing for this long is lost and killed.
  absl::Duration lost_after = absl::Seconds(60);
  // From the command to cancel to SIGTERM, and from there to SIGKILL.
  absl::Duration cancel_grace = absl::Seconds(10);
  absl::Duration kill_grace = absl::Seconds(5);
  // From a worker's last report to SIGTERM.
  absl::Duration exit_grace = absl::Seconds(30);
};

// A worker that is no more.
struct WorkerEnd {
  std::string task;
  int32_t attempt = 0;
  // FAILURE_CAUSE_WORKER_DIED, _WORKER_LOST or _OUT_OF_MEMORY: what it means if the work was not
  // done.
  v1::FailureCause cause = v1::FAILURE_CAUSE_WORKER_DIED;
  // "was killed by signal 9 (Killed)".
  std::string how;
  // That ended it; 0 where none did, or where that is not known.
  int signal = 0;
};

class WorkerPool {
 public:
  WorkerPool(WorkerStore& store, FileSystem& files, Clock& clock, Notifier& notifier,
             Observer& observer, WorkerOptions options);

  // Takes up the workers of an earlier server. They have `lost_after` to call.
  absl::Status Restore();

  // A sandboxed worker locks itself in (server/engine/worker_sandbox.h) and uses no GPU. REQUIRES:
  // the task has no worker.
  absl::Status Start(absl::string_view task, int32_t attempt, const std::string& log_path,
                     bool sandboxed = false);

  // The attempt that the token is for, and the worker is heard. UNAUTHENTICATED else.
  absl::StatusOr<int32_t> Authenticate(absl::string_view task, absl::string_view token);
  // A sign of life.
  void Heard(absl::string_view task);

  // Notifies `task`'s key of the notifier ("worker/TASK"), so that the report stream passes the
  // command on; then signals.
  void Cancel(absl::string_view task);
  bool CancelRequested(absl::string_view task) const;
  // The worker has made its last report: it should end by itself soon.
  void ExpectExit(absl::string_view task);

  // Signals who is due and returns who has ended since the last call; they are forgotten.
  std::vector<WorkerEnd> Collect();

  // Ends all workers, without a command: SIGTERM, `kill_grace`, SIGKILL. Their jobs can go on under
  // another server.
  void StopAll();

  // Workers whose task starts with `prefix`.
  int Count(absl::string_view prefix) const;
  bool Has(absl::string_view task) const;
  std::vector<std::string> Tasks() const;

  static std::string NotifierKey(absl::string_view task);

 private:
  struct Worker {
    WorkerRow row;
    // Of Clock::Monotonic.
    absl::Duration last_heard;
    std::optional<absl::Duration> term_at, kill_at;
    std::optional<absl::Duration> killed_at;
    bool starting = false;
    // This server has found it alive.
    bool seen = false;
    bool lost = false;
    bool cancel = false;
  };

  absl::StatusOr<ProcessId> LaunchProcess(const WorkerRow& row, const std::string& token,
                                          const std::string& log_path, bool sandboxed);
  void SignalIfDue(absl::Duration now, Worker& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<ProcessEnd> EndIfAny(absl::Duration now, const Worker& worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  WorkerEnd EndOf(const Worker& worker, const ProcessEnd& end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(const std::string& task);

  WorkerStore& store_;
  FileSystem& files_;
  Clock& clock_;
  Notifier& notifier_;
  Observer& observer_;
  const WorkerOptions options_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Worker, std::less<>> workers_ ABSL_GUARDED_BY(mutex_);
  // Processes of this machine that were killed for lack of memory, when last looked.
  int64_t oom_kills_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_WORKER_POOL_H_
