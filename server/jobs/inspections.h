// server/jobs/inspections.h
//
// Lets workers read new data sets and models: one worker each, sandboxed, a few at a time, not kept
// over a restart.
//
//   inspections.Start({.task = task, .what = "The data set `digits`"},
//                     [](absl::StatusOr<internal::v1::WorkerReport> found) { ... });
//
// Thread-safe.
#ifndef MANTISSA_SERVER_JOBS_INSPECTIONS_H_
#define MANTISSA_SERVER_JOBS_INSPECTIONS_H_

#include <cstdint>
#include <functional>
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
#include "mantissa/internal/v1/worker.pb.h"
#include "server/jobs/worker_pool.h"

namespace mantissa::jobs {

struct InspectionOptions {
  int max_running = 2;
  // What takes longer to read is refused.
  absl::Duration timeout = absl::Minutes(10);
  // What the workers print.
  std::string log_path;
};

// What is to be read.
struct Inspection {
  internal::v1::Task task;
  // What people call it, at the start of a sentence.
  std::string what;
  // Which remedy there is where it takes too much.
  std::string remedy;
};

class Inspections {
 public:
  // Called once, on any thread, with the report that has what was found.
  using Done = std::function<void(absl::StatusOr<internal::v1::WorkerReport>)>;

  // Tasks of inspections are named with this prefix.
  static constexpr char kPrefix[] = "inspect-";

  Inspections(WorkerPool& pool, Clock& clock, InspectionOptions options);

  // `done` gets INVALID_ARGUMENT with the worker's words if the files can't be read,
  // RESOURCE_EXHAUSTED if too many are being read. REQUIRES: the request was checked.
  void Start(Inspection inspection, Done done);

  absl::StatusOr<internal::v1::Task> TaskOf(absl::string_view task);
  // Returns the number up to which all is kept.
  absl::StatusOr<int64_t> Report(absl::string_view task,
                                 const std::vector<internal::v1::WorkerReport>& reports);

  void WorkerEnded(const WorkerEnd& end);
  // Ends those that take too long.
  void Tick();
  // Ends the waiting of all, those to come too; for the server's stop.
  void Abandon();

 private:
  struct Running {
    Inspection inspection;
    Done done;
    absl::Duration deadline;  // of Clock::Monotonic
  };
  // nullopt if it is over.
  std::optional<Inspection> Find(absl::string_view task);
  void Finish(absl::string_view task, absl::StatusOr<internal::v1::WorkerReport> result);

  WorkerPool& pool_;
  Clock& clock_;
  const InspectionOptions options_;
  absl::Mutex mutex_;
  std::map<std::string, Running, std::less<>> running_ ABSL_GUARDED_BY(mutex_);
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_INSPECTIONS_H_
