#include "server/jobs/inspections.h"

#include <signal.h>

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

absl::Status Unreadable(const Inspection& inspection, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(inspection.what, " can't be used: ", why));
}

// Nothing is known of the files: nobody has read them to the end.
absl::Status Unread(const Inspection& inspection, absl::string_view why,
                    absl::string_view log_path) {
  return absl::InternalError(absl::StrCat(inspection.what, " was not read: ", why,
                                          ". What its reader said is in ", BaseName(log_path),
                                          " in the server's data folder."));
}

absl::Status Stopping() {
  return absl::UnavailableError("The server stops. Try again when it is back.");
}

// What a worker's failure means to whoever asked.
absl::Status ToStatus(const Inspection& inspection, const v1::Failure& failure) {
  const std::string& message = failure.message();
  switch (failure.cause()) {
    case v1::FAILURE_CAUSE_OUT_OF_MEMORY:
    case v1::FAILURE_CAUSE_DISK_FULL:
      return OverLimit("worker", absl::StrCat(inspection.what, " was not read: ", message));
    case v1::FAILURE_CAUSE_INTERNAL:
      return absl::InternalError(absl::StrCat(inspection.what, " was not read: ", message));
    default:
      return Unreadable(inspection, message);
  }
}

}  // namespace

Inspections::Inspections(WorkerPool& pool, Clock& clock, InspectionOptions options)
    : pool_(pool), clock_(clock), options_(std::move(options)) {}

void Inspections::Start(Inspection inspection, Done done) {
  const std::string task = absl::StrCat(kPrefix, RandomToken(6));
  const std::string what = inspection.what;
  absl::Status refused;
  {
    absl::MutexLock lock(&mutex_);
    if (abandoned_) {
      refused = Stopping();
    } else if (static_cast<int>(running_.size()) >= options_.max_running) {
      refused = OverLimit("inspections",
                          absl::StrCat(options_.max_running,
                                       " data sets and models are being read, as many as may. "
                                       "Try again in a moment."));
    } else {
      running_.emplace(task, Running{.inspection = std::move(inspection),
                                     .done = done,
                                     .deadline = clock_.Monotonic() + options_.timeout});
    }
  }
  if (!refused.ok()) return done(refused);
  const absl::Status started =
      pool_.Start(task, /*attempt=*/1, options_.log_path, /*sandboxed=*/true);
  if (started.ok()) return;
  LogError("a reader can't start: ", started.ToString());
  Finish(task, absl::InternalError(absl::StrCat(what, " was not read: its reader did not start: ",
                                                absl::StripSuffix(started.message(), "."),
                                                ". The server's log tells more.")));
}

std::optional<Inspection> Inspections::Find(absl::string_view task) {
  absl::MutexLock lock(&mutex_);
  const auto it = running_.find(task);
  if (it == running_.end()) return std::nullopt;
  return it->second.inspection;
}

absl::StatusOr<internal::v1::Task> Inspections::TaskOf(absl::string_view task) {
  std::optional<Inspection> inspection = Find(task);
  if (inspection.has_value()) return std::move(inspection->task);
  return absl::UnauthenticatedError("This inspection is over. The worker should end.");
}

absl::StatusOr<int64_t> Inspections::Report(
    absl::string_view task, const std::vector<internal::v1::WorkerReport>& reports) {
  int64_t last = 0;
  for (const internal::v1::WorkerReport& report : reports) {
    last = std::max(last, report.number());
    const std::optional<Inspection> inspection = Find(task);
    if (!inspection.has_value()) continue;
    const bool is_answer = inspection->task.has_inspect_model() ? report.has_model_inspected()
                                                                : report.has_inspected();
    if (is_answer) Finish(task, report);
    if (report.has_failed()) Finish(task, ToStatus(*inspection, report.failed()));
  }
  return last;
}

void Inspections::Finish(absl::string_view task,
                         absl::StatusOr<internal::v1::WorkerReport> result) {
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
  const std::optional<Inspection> inspection = Find(end.task);
  if (!inspection.has_value()) return;
  if (end.cause == v1::FAILURE_CAUSE_OUT_OF_MEMORY) {
    return Finish(end.task,
                  OverLimit("worker", absl::StrCat(inspection->what, " was not read: its reader ",
                                                   end.how, ". ", inspection->remedy)));
  }
  if (end.signal == SIGXCPU) {
    return Finish(end.task, Unreadable(*inspection,
                                       absl::StrCat("reading it took more processor time than it "
                                                    "may. ",
                                                    inspection->remedy)));
  }
  Finish(end.task, Unread(*inspection, absl::StrCat("its reader ", end.how), options_.log_path));
}

void Inspections::Tick() {
  std::vector<std::pair<std::string, absl::Status>> late;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [task, running] : running_) {
      if (clock_.Monotonic() <= running.deadline) continue;
      late.emplace_back(
          task, Unreadable(running.inspection, absl::StrCat("reading it took longer than ",
                                                            absl::FormatDuration(options_.timeout),
                                                            ". ", running.inspection.remedy)));
    }
  }
  for (const auto& [task, status] : late) {
    pool_.Cancel(task);
    Finish(task, status);
  }
}

void Inspections::Abandon() {
  std::vector<std::string> tasks;
  {
    absl::MutexLock lock(&mutex_);
    abandoned_ = true;
    for (const auto& [task, running] : running_) tasks.push_back(task);
  }
  for (const std::string& task : tasks) {
    pool_.Cancel(task);
    Finish(task, Stopping());
  }
}

}  // namespace mantissa::jobs
