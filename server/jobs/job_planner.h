// server/jobs/job_planner.h
//
// What the jobs need of the planner: a plan for a request. server/rpc has the one that plans
// (planning.h); tests have their own.
#ifndef MANTISSA_SERVER_JOBS_JOB_PLANNER_H_
#define MANTISSA_SERVER_JOBS_JOB_PLANNER_H_

#include "absl/status/statusor.h"
#include "mantissa/v1/planner.pb.h"

namespace mantissa::jobs {

class JobPlanner {
 public:
  virtual ~JobPlanner() = default;
  // A plan with tensors; its `model` and `precision` have the defaults filled in. INVALID_ARGUMENT
  // names the field (`model.width`), NOT_FOUND the models there are, FAILED_PRECONDITION says by
  // how much a memory budget is missed. Thread-safe.
  virtual absl::StatusOr<v1::Plan> MakePlan(const v1::PlanRequest& request) = 0;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_JOB_PLANNER_H_
