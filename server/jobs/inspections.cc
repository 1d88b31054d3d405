#include "server/jobs/inspections.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/log.h"
#include "base/status.h"
#include "base/token.h"
#include "server/jobs/errors.h"

namespace mantissa::jobs {
namespace {

absl::Status Unreadable(absl::string_view name, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("The data set `", name, "` can't be used: ", why));
}

// Nothing is known of the files: nobody has read them to the end.
absl::Status Unread(absl::string_view name, absl::string_view why, absl::string_view log_path) {
  return absl::InternalError(absl::StrCat("The data set `", name, "` was not read: ", why,
                                          ". What its reader said is in ", BaseName(log_path),
                                          " in the server's data folder."));
}

absl::Status Stopping() {
  return absl::UnavailableError("The server stops. Try again when it is back.");
}

// What a worker's failure means to whoever asked.
absl::Status ToStatus(absl::string_view name, const v1::Failure& failure) {
  const std::string& message = failure.message();
  switch (failure.cause()) {
    case v1::FAILURE_CAUSE_OUT_OF_MEMORY:
    case v1::FAILURE_CAUSE_DISK_FULL:
      return OverLimit("worker", message);
    case v1::FAILURE_CAUSE_INTERNAL:
      return absl::InternalError(message);
    default:
      return Unreadable(name, message);
  }
}

}  // namespace

Inspections::Inspections(WorkerPool& pool, Clock& clock, InspectionOptions options)
    : pool_(pool), clock_(clock), options_(std::move(options)) {}

void Inspections::Start(const v1::CreateDatasetRequest& request, Done done) {
  const std::string task = absl::StrCat(kPrefix, RandomToken(6));
  absl::Status refused;
  {
    absl::MutexLock lock(&mutex_);
    if (abandoned_) {
      refused = Stopping();
    } else if (static_cast<int>(running_.size()) >= options_.max_running) {
      refused = OverLimit("inspections", absl::StrCat(options_.max_running,
                                                      " data sets are being read, "
                                                      "as many as may. Try again in a moment."));
    } else {
      running_.emplace(task, Inspection{.request = request,
                                        .done = done,
                                        .deadline = clock_.Monotonic() + options_.timeout});
    }
  }
  if (!refused.ok()) return done(refused);
  const absl::Status started = pool_.Start(task, /*attempt=*/1, options_.log_path);
  if (started.ok()) return;
  LogError("the reader of data set ", request.name(), " can't start: ", started.ToString());
  Finish(task, absl::InternalError(absl::StrCat(
                   "The data set `", request.name(), "` was not read: its reader did not start: ",
                   absl::StripSuffix(started.message(), "."), ". The server's log tells more.")));
}

absl::StatusOr<internal::v1::Task> Inspections::TaskOf(absl::string_view task) {
  absl::MutexLock lock(&mutex_);
  const auto it = running_.find(task);
  if (it == running_.end()) {
    return absl::UnauthenticatedError("This inspection is over. The worker should end.");
  }
  internal::v1::Task result;
  *result.mutable_inspect()->mutable_request() = it->second.request;
  return result;
}

absl::StatusOr<int64_t> Inspections::Report(
    absl::string_view task, const std::vector<internal::v1::WorkerReport>& reports) {
  int64_t last = 0;
  for (const internal::v1::WorkerReport& report : reports) {
    last = std::max(last, report.number());
    if (report.has_inspected()) Finish(task, report.inspected());
    if (!report.has_failed()) continue;
    std::string name;
    {
      absl::MutexLock lock(&mutex_);
      const auto it = running_.find(task);
      if (it != running_.end()) name = it->second.request.name();
    }
    Finish(task, ToStatus(name, report.failed()));
  }
  return last;
}

void Inspections::Finish(absl::string_view task, absl::StatusOr<v1::Dataset> result) {
  Done done;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = running_.find(task);
    if (it == running_.end()) return;
    done = std::move(it->second.done);
    running_.erase(it);
  }
  pool_.ExpectExit(task);
  done(std::move(result));
}

void Inspections::WorkerEnded(const WorkerEnd& end) {
  std::string name;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = running_.find(end.task);
    if (it == running_.end()) return;
    name = it->second.request.name();
  }
  if (end.cause == v1::FAILURE_CAUSE_OUT_OF_MEMORY) {
    return Finish(end.task, OverLimit("worker", absl::StrCat("The data set `", name,
                                                             "` was not read: its reader ", end.how,
                                                             ". Use fewer or smaller files.")));
  }
  Finish(end.task, Unread(name, absl::StrCat("its reader ", end.how), options_.log_path));
}

void Inspections::Tick() {
  std::vector<std::pair<std::string, std::string>> late;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [task, inspection] : running_) {
      if (clock_.Monotonic() > inspection.deadline) {
        late.emplace_back(task, inspection.request.name());
      }
    }
  }
  for (const auto& [task, name] : late) {
    pool_.Cancel(task);
    Finish(task, Unreadable(name, absl::StrCat("reading it took longer than ",
                                               absl::FormatDuration(options_.timeout),
                                               ". Use fewer or smaller files.")));
  }
}

void Inspections::Abandon() {
  std::vector<std::string> tasks;
  {
    absl::MutexLock lock(&mutex_);
    abandoned_ = true;
    for (const auto& [task, inspection] : running_) tasks.push_back(task);
  }
  for (const std::string& task : tasks) {
    pool_.Cancel(task);
    Finish(task, Stopping());
  }
}

}  // namespace mantissa::jobs
