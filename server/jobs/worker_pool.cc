#include "server/jobs/worker_pool.h"

#include <signal.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/status.h"
#include "base/token.h"
#include "server/jobs/proc_file.h"

namespace mantissa::jobs {
namespace {

// A process that SIGKILL has not ended by then hangs in the kernel; its task goes on without it.
constexpr absl::Duration kKillTimeout = absl::Seconds(30);

// How often the kernel has killed for lack of memory since the machine started; 0 if unknown.
int64_t OomKills() {
  const absl::StatusOr<std::string> text = ReadProcFile("/proc/vmstat");
  if (!text.ok()) return 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    int64_t count = 0;
    if (absl::ConsumePrefix(&line, "oom_kill ") && absl::SimpleAtoi(line, &count)) return count;
  }
  return 0;
}

std::vector<std::string> WorkerEnvironment(const std::string& token) {
  std::vector<std::string> environment = {absl::StrCat("MANTISSA_WORKER_TOKEN=", token)};
  // LibTorch's threads wait for each other by spinning; where jobs share cores, that starves the
  // thread they wait for. Read when the library is loaded, so the worker cannot set it itself.
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) environment.push_back("OMP_WAIT_POLICY=passive");
  return environment;
}

}  // namespace

WorkerPool::WorkerPool(WorkerStore& store, FileSystem& files, Clock& clock, Notifier& notifier,
                       Observer& observer, WorkerOptions options)
    : store_(store),
      files_(files),
      clock_(clock),
      notifier_(notifier),
      observer_(observer),
      options_(std::move(options)),
      oom_kills_(OomKills()) {}

std::string WorkerPool::NotifierKey(absl::string_view task) {
  return absl::StrCat("worker/", task);
}

absl::Status WorkerPool::Restore() {
  ASSIGN_OR_RETURN(std::vector<WorkerRow> rows, store_.All());
  absl::MutexLock lock(&mutex_);
  for (WorkerRow& row : rows) {
    LogInfo("takes up worker ", row.process.pid, " of ", row.task, ", attempt ", row.attempt);
    std::string task = row.task;
    workers_.emplace(std::move(task),
                     Worker{.row = std::move(row), .last_heard = clock_.Monotonic()});
  }
  return absl::OkStatus();
}

absl::Status WorkerPool::Start(absl::string_view task, int32_t attempt, const std::string& log_path,
                               bool sandboxed) {
  const std::string token = RandomToken(32);
  const WorkerRow row{
      .task = std::string(task), .attempt = attempt, .token_sha256 = Sha256Hex(token)};
  RETURN_IF_ERROR(store_.Put(row));
  {
    absl::MutexLock lock(&mutex_);
    const bool is_new =
        workers_
            .emplace(row.task,
                     Worker{.row = row, .last_heard = clock_.Monotonic(), .starting = true})
            .second;
    MANTISSA_CHECK(is_new, "task ", task, " has a worker");
  }
  const absl::StatusOr<ProcessId> process = LaunchProcess(row, token, log_path, sandboxed);
  if (!process.ok()) {
    Forget(row.task);
    return process.status();
  }
  observer_.OnWorkerStarted();
  LogInfo("started worker ", process->pid, " for ", task, ", attempt ", attempt);
  absl::MutexLock lock(&mutex_);
  Worker& worker = workers_.find(task)->second;
  worker.row.process = *process;
  worker.starting = false;
  return absl::OkStatus();
}

absl::StatusOr<ProcessId> WorkerPool::LaunchProcess(const WorkerRow& row, const std::string& token,
                                                    const std::string& log_path, bool sandboxed) {
  const std::string work_dir = JoinPath(options_.work_dir, row.task);
  RETURN_IF_ERROR(files_.RemoveTree(work_dir));
  RETURN_IF_ERROR(files_.MakeFolders(work_dir));
  const Command command{
      .argv = {options_.program, absl::StrCat("--server=", options_.server_address),
               absl::StrCat("--task=", row.task),
               sandboxed ? "--sandbox" : absl::StrCat("--device=", options_.device)},
      .environment = WorkerEnvironment(token),
      .work_dir = work_dir,
      .log_path = log_path,
  };
  return Launch(command,
                [&](const ProcessId& process) { return store_.SetProcess(row.task, process); });
}

absl::StatusOr<int32_t> WorkerPool::Authenticate(absl::string_view task, absl::string_view token) {
  const std::string hash = Sha256Hex(token);
  absl::MutexLock lock(&mutex_);
  const auto it = workers_.find(task);
  if (it == workers_.end() || !TokensEqual(it->second.row.token_sha256, hash)) {
    return absl::UnauthenticatedError(
        "The token is not, or no longer, valid for this task. The worker should end.");
  }
  it->second.last_heard = clock_.Monotonic();
  return it->second.row.attempt;
}

void WorkerPool::Heard(absl::string_view task) {
  absl::MutexLock lock(&mutex_);
  const auto it = workers_.find(task);
  if (it != workers_.end()) it->second.last_heard = clock_.Monotonic();
}

void WorkerPool::Cancel(absl::string_view task) {
  {
    absl::MutexLock lock(&mutex_);
    const auto it = workers_.find(task);
    if (it == workers_.end() || it->second.cancel) return;
    it->second.cancel = true;
    it->second.term_at = clock_.Monotonic() + options_.cancel_grace;
    it->second.kill_at = *it->second.term_at + options_.kill_grace;
  }
  notifier_.Notify(NotifierKey(task));
}

bool WorkerPool::CancelRequested(absl::string_view task) const {
  absl::MutexLock lock(&mutex_);
  const auto it = workers_.find(task);
  return it != workers_.end() && it->second.cancel;
}

void WorkerPool::ExpectExit(absl::string_view task) {
  absl::MutexLock lock(&mutex_);
  const auto it = workers_.find(task);
  if (it == workers_.end() || it->second.kill_at.has_value()) return;
  it->second.term_at = clock_.Monotonic() + options_.exit_grace;
  it->second.kill_at = *it->second.term_at + options_.kill_grace;
}

void WorkerPool::SignalIfDue(absl::Duration now, Worker& worker) {
  if (!worker.lost && now - worker.last_heard > options_.lost_after) {
    LogWarning("worker ", worker.row.process.pid, " of ", worker.row.task, " said nothing for ",
               absl::FormatDuration(options_.lost_after), ": kills it");
    worker.lost = true;
    worker.kill_at = now;
  }
  if (worker.term_at.has_value() && now >= *worker.term_at) {
    SignalGroup(worker.row.process, SIGTERM);
    worker.term_at.reset();
  }
  if (worker.kill_at.has_value() && now >= *worker.kill_at) {
    SignalGroup(worker.row.process, SIGKILL);
    if (!worker.killed_at.has_value()) worker.killed_at = now;
  }
}

std::optional<ProcessEnd> WorkerPool::EndIfAny(absl::Duration now, const Worker& worker) {
  const std::optional<ProcessEnd> end = FindEnd(worker.row.process);
  if (end.has_value()) return end;
  if (!worker.killed_at.has_value() || now - *worker.killed_at < kKillTimeout) return std::nullopt;
  return ProcessEnd();
}

WorkerEnd WorkerPool::EndOf(const Worker& worker, const ProcessEnd& end) {
  WorkerEnd result{.task = worker.row.task,
                   .attempt = worker.row.attempt,
                   .how = Describe(end),
                   .signal = end.signal.value_or(0)};
  const int64_t oom_kills = OomKills();
  const bool is_known = end.exit_code.has_value() || end.signal.has_value();
  if (!is_known && worker.killed_at.has_value()) {
    result.how = "was killed by the server";
  } else if (!is_known && !worker.seen) {
    result.how = "ended while the server was away";
  }
  if (worker.lost) {
    result.cause = v1::FAILURE_CAUSE_WORKER_LOST;
    result.how = absl::StrCat("said nothing for ", absl::FormatDuration(options_.lost_after),
                              " and was killed");
  } else if (end.signal == SIGKILL && oom_kills > oom_kills_) {
    result.cause = v1::FAILURE_CAUSE_OUT_OF_MEMORY;
    result.how = "was killed by the kernel because memory ran out";
  }
  oom_kills_ = oom_kills;
  return result;
}

std::vector<WorkerEnd> WorkerPool::Collect() {
  std::vector<WorkerEnd> ends;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration now = clock_.Monotonic();
    for (auto& [task, worker] : workers_) {
      if (worker.starting) continue;
      SignalIfDue(now, worker);
      const std::optional<ProcessEnd> end = EndIfAny(now, worker);
      if (!end.has_value()) worker.seen = true;
      if (end.has_value()) ends.push_back(EndOf(worker, *end));
    }
  }
  for (const WorkerEnd& end : ends) {
    LogInfo("the worker of ", end.task, ", attempt ", end.attempt, ", ", end.how);
    Forget(end.task);
  }
  return ends;
}

void WorkerPool::StopAll() {
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [task, worker] : workers_) {
      worker.term_at = clock_.Monotonic();
      worker.kill_at = *worker.term_at + options_.kill_grace;
    }
  }
  while (!Tasks().empty()) {
    Collect();
    clock_.SleepFor(absl::Milliseconds(20));
  }
}

void WorkerPool::Forget(const std::string& task) {
  const absl::Status status = store_.Remove(task);
  if (!status.ok()) LogWarning("can't forget the worker of ", task, ": ", status.ToString());
  files_.RemoveTree(JoinPath(options_.work_dir, task)).IgnoreError();
  absl::MutexLock lock(&mutex_);
  workers_.erase(task);
}

int WorkerPool::Count(absl::string_view prefix) const {
  absl::MutexLock lock(&mutex_);
  int count = 0;
  for (const auto& [task, worker] : workers_) count += absl::StartsWith(task, prefix) ? 1 : 0;
  return count;
}

bool WorkerPool::Has(absl::string_view task) const {
  absl::MutexLock lock(&mutex_);
  return workers_.contains(task);
}

std::vector<std::string> WorkerPool::Tasks() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> tasks;
  for (const auto& [task, worker] : workers_) tasks.push_back(task);
  return tasks;
}

}  // namespace mantissa::jobs
