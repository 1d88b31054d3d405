// server/jobs/observer.h
//
// What the jobs tell those who measure. Called after the fact is on disk, from any thread; must be
// short.
#ifndef MANTISSA_SERVER_JOBS_OBSERVER_H_
#define MANTISSA_SERVER_JOBS_OBSERVER_H_

#include "absl/strings/string_view.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::jobs {

class Observer {
 public:
  virtual ~Observer() = default;
  // An event was added; `job` is the job after it.
  virtual void OnEvent(const v1::Job& job, const v1::JobEvent& event) = 0;
  virtual void OnWorkerStarted() = 0;
  // A worker ended without having done its work.
  virtual void OnWorkerDied(v1::FailureCause cause) = 0;
  virtual void OnUploaded(int64_t bytes) = 0;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_OBSERVER_H_
