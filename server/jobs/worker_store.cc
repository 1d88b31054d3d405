#include "server/jobs/worker_store.h"

#include "base/status.h"

namespace mantissa::jobs {

absl::Status WorkerStore::Put(const WorkerRow& row) {
  absl::MutexLock lock(&state_.mutex());
  return state_.db().Run(
      "INSERT OR REPLACE INTO workers(task, attempt, pid, start_ticks, token_sha256, last_report) "
      "VALUES(?, ?, ?, ?, ?, ?)",
      row.task, int64_t{row.attempt}, row.process.pid, row.process.start_ticks, row.token_sha256,
      row.last_report);
}

absl::Status WorkerStore::SetProcess(absl::string_view task, const ProcessId& process) {
  absl::MutexLock lock(&state_.mutex());
  return state_.db().Run("UPDATE workers SET pid = ?, start_ticks = ? WHERE task = ?", process.pid,
                         process.start_ticks, task);
}

absl::Status WorkerStore::Remove(absl::string_view task) {
  absl::MutexLock lock(&state_.mutex());
  return state_.db().Run("DELETE FROM workers WHERE task = ?", task);
}

absl::StatusOr<std::vector<WorkerRow>> WorkerStore::All() {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows,
                   state_.db().Query("SELECT task, attempt, pid, start_ticks, token_sha256, "
                                     "last_report FROM workers ORDER BY task"));
  std::vector<WorkerRow> all;
  while (rows.Next()) {
    all.push_back({.task = rows.Text(0),
                   .attempt = static_cast<int32_t>(rows.Int(1)),
                   .process = {.pid = rows.Int(2), .start_ticks = rows.Int(3)},
                   .token_sha256 = rows.Text(4),
                   .last_report = rows.Int(5)});
  }
  RETURN_IF_ERROR(rows.status());
  return all;
}

absl::StatusOr<int64_t> WorkerStore::LastReport(absl::string_view task, int32_t attempt) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows,
                   state_.db().Query("SELECT last_report FROM workers WHERE task = ? AND "
                                     "attempt = ?",
                                     task, int64_t{attempt}));
  const int64_t last = rows.Next() ? rows.Int(0) : 0;
  RETURN_IF_ERROR(rows.status());
  return last;
}

}  // namespace mantissa::jobs
