#include "server/jobs/supervisor.h"

#include <utility>

#include "absl/strings/match.h"
#include "base/log.h"
#include "base/status.h"

namespace mantissa::jobs {
namespace {

constexpr absl::Duration kPeriod = absl::Milliseconds(100);
constexpr absl::Duration kSweepPeriod = absl::Hours(1);

}  // namespace

Supervisor::Supervisor(WorkerPool& pool, JobRunner& runner, Inspections& inspections,
                       BlobStore& blobs, Clock& clock)
    : pool_(pool),
      runner_(runner),
      inspections_(inspections),
      blobs_(blobs),
      clock_(clock),
      next_sweep_(clock.Monotonic()) {}

Supervisor::~Supervisor() { Stop(); }

absl::Status Supervisor::Start() {
  RETURN_IF_ERROR(pool_.Restore());
  // Nobody waits for the inspections of an earlier server.
  for (const std::string& task : pool_.Tasks()) {
    if (absl::StartsWith(task, Inspections::kPrefix)) pool_.Cancel(task);
  }
  RETURN_IF_ERROR(runner_.Recover());
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Supervisor::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
}

void Supervisor::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    woken_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void Supervisor::Run() {
  while (true) {
    Tick();
    absl::MutexLock lock(&mutex_);
    clock_.AwaitUntil(mutex_, absl::Condition(&woken_), clock_.Now() + kPeriod);
    woken_ = false;
    if (stopped_) return;
  }
}

void Supervisor::Tick() {
  for (WorkerEnd& end : pool_.Collect()) ends_.push_back(std::move(end));
  HandleEnds();
  inspections_.Tick();
  runner_.StartPending();
  if (clock_.Monotonic() < next_sweep_) return;
  next_sweep_ = clock_.Monotonic() + kSweepPeriod;
  const absl::Status swept = blobs_.RemoveStale();
  if (!swept.ok()) LogWarning("blobs that nothing uses stay: ", swept.ToString());
}

void Supervisor::HandleEnds() {
  std::vector<WorkerEnd> again;
  for (WorkerEnd& end : ends_) {
    if (absl::StartsWith(end.task, Inspections::kPrefix)) {
      inspections_.WorkerEnded(end);
      continue;
    }
    const absl::Status kept = runner_.WorkerEnded(end);
    if (kept.ok()) continue;
    LogError("the end of the worker of ", end.task, " can't be kept yet: ", kept.ToString());
    again.push_back(std::move(end));
  }
  ends_ = std::move(again);
}

}  // namespace mantissa::jobs
