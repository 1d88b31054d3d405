#include "server/rpc/planning.h"

#include "planner/wire/plan_proto.h"

namespace mantissa::rpc {

absl::StatusOr<v1::Plan> WirePlanner::MakePlan(const v1::PlanRequest& request) {
  return planner::PlanFromRequest(request);
}

}  // namespace mantissa::rpc
