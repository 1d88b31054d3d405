// server/jobs/inspections.h
//
// Lets workers read new data sets: one worker each, a few at a time, not kept over a restart.
//
//   inspections.Start(request, [](absl::StatusOr<v1::Dataset> found) { ... });
//
// Thread-safe.
#ifndef MANTISSA_SERVER_JOBS_INSPECTIONS_H_
#define MANTISSA_SERVER_JOBS_INSPECTIONS_H_

#include <cstdint>
#include <functional>
#include <map>
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
#include "mantissa/v1/dataset.pb.h"
#include "server/jobs/worker_pool.h"

namespace mantissa::jobs {

struct InspectionOptions {
  int max_running = 2;
  // A data set that takes longer to read is refused.
  absl::Duration timeout = absl::Minutes(10);
  // What the workers print.
  std::string log_path;
};

class Inspections {
 public:
  // Called once, on any thread.
  using Done = std::function<void(absl::StatusOr<v1::Dataset>)>;

  // Tasks of inspections are named with this prefix.
  static constexpr char kPrefix[] = "inspect-";

  Inspections(WorkerPool& pool, Clock& clock, InspectionOptions options);

  // `done` gets INVALID_ARGUMENT with the worker's words if the files can't be read,
  // RESOURCE_EXHAUSTED if too many are being read. REQUIRES: the request was checked.
  void Start(const v1::CreateDatasetRequest& request, Done done);

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
  struct Inspection {
    v1::CreateDatasetRequest request;
    Done done;
    absl::Duration deadline;  // of Clock::Monotonic
  };
  void Finish(absl::string_view task, absl::StatusOr<v1::Dataset> result);

  WorkerPool& pool_;
  Clock& clock_;
  const InspectionOptions options_;
  absl::Mutex mutex_;
  std::map<std::string, Inspection, std::less<>> running_ ABSL_GUARDED_BY(mutex_);
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_INSPECTIONS_H_
