// server/rpc/planning.h
//
// The jobs' planner: planner/wire behind jobs::JobPlanner.
//
//   WirePlanner planner;
//   jobs::JobDesk desk({.planner = planner, ...});
#ifndef MANTISSA_SERVER_RPC_PLANNING_H_
#define MANTISSA_SERVER_RPC_PLANNING_H_

#include "server/jobs/job_planner.h"

namespace mantissa::rpc {

class WirePlanner : public jobs::JobPlanner {
 public:
  absl::StatusOr<v1::Plan> MakePlan(const v1::PlanRequest& request) override;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_PLANNING_H_
