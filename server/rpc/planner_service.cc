#include "server/rpc/planner_service.h"

#include "base/status.h"
#include "server/rpc/unary.h"

namespace mantissa::rpc {

grpc::ServerUnaryReactor* PlannerService::Plan(grpc::CallbackServerContext* context,
                                               const v1::PlanRequest* request,
                                               v1::PlanResponse* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::PlanRequest& r) -> absl::StatusOr<v1::PlanResponse> {
                    v1::PlanResponse result;
                    ASSIGN_OR_RETURN(*result.mutable_plan(), planner_.MakePlan(r));
                    return result;
                  });
}

grpc::ServerUnaryReactor* PlannerService::Explain(grpc::CallbackServerContext* context,
                                                  const v1::ExplainRequest* request,
                                                  v1::ExplainResponse* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::ExplainRequest& r) -> absl::StatusOr<v1::ExplainResponse> {
                    absl::StatusOr<v1::ExplainResponse> result = planner_.Explain(r.plan());
                    if (!result.ok()) return InField(result.status(), "plan");
                    return result;
                  });
}

}  // namespace mantissa::rpc
