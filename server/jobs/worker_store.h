// server/jobs/worker_store.h
//
// Which worker processes were started and not yet seen to end: how a server that was started again
// finds the workers of the one before.
//
//   RETURN_IF_ERROR(store.Put({.task = "job-1", .attempt = 1, .token_sha256 = ...}));
//   RETURN_IF_ERROR(store.SetProcess("job-1", process));
//
// Thread-safe.
#ifndef MANTISSA_SERVER_JOBS_WORKER_STORE_H_
#define MANTISSA_SERVER_JOBS_WORKER_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/jobs/process.h"
#include "server/jobs/state_database.h"

namespace mantissa::jobs {

struct WorkerRow {
  // A job's id, or the name of an inspection.
  std::string task;
  int32_t attempt = 1;
  ProcessId process;  // pid 0: the server died before it was started
  std::string token_sha256;
  // Number of the newest report that is kept.
  int64_t last_report = 0;
};

class WorkerStore {
 public:
  explicit WorkerStore(StateDatabase& state) : state_(state) {}

  absl::Status Put(const WorkerRow& row);
  absl::Status SetProcess(absl::string_view task, const ProcessId& process);
  absl::Status Remove(absl::string_view task);
  absl::StatusOr<std::vector<WorkerRow>> All();
  // 0 if there is no such worker.
  absl::StatusOr<int64_t> LastReport(absl::string_view task, int32_t attempt);

 private:
  StateDatabase& state_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_WORKER_STORE_H_
