#include "server/rpc/planner_service.h"

#include "base/status.h"
#include "planner/wire/model_proto.h"
#include "planner/wire/plan_proto.h"
#include "server/rpc/unary.h"

namespace mantissa::rpc {
namespace {

absl::StatusOr<v1::PlanResponse> MakePlan(const v1::PlanRequest& request) {
  v1::PlanResponse response;
  ASSIGN_OR_RETURN(*response.mutable_plan(), planner::PlanFromRequest(request));
  return response;
}

absl::StatusOr<v1::ExplainResponse> ExplainPlan(const v1::ExplainRequest& request) {
  absl::StatusOr<v1::ExplainResponse> response = planner::ExplainFromRequest(request.plan());
  if (!response.ok()) return InField(response.status(), "plan");
  return response;
}

absl::StatusOr<v1::GetModelResponse> Describe(const v1::GetModelRequest& request) {
  absl::StatusOr<v1::GetModelResponse> response = planner::DescribeModel(request.spec());
  if (!response.ok()) return InField(response.status(), "spec");
  return response;
}

}  // namespace

grpc::ServerUnaryReactor* PlannerService::Plan(grpc::CallbackServerContext* context,
                                               const v1::PlanRequest* request,
                                               v1::PlanResponse* response) {
  return RunUnary(context, executor_, request, response, MakePlan);
}

grpc::ServerUnaryReactor* PlannerService::Explain(grpc::CallbackServerContext* context,
                                                  const v1::ExplainRequest* request,
                                                  v1::ExplainResponse* response) {
  return RunUnary(context, executor_, request, response, ExplainPlan);
}

grpc::ServerUnaryReactor* ModelService::ListModels(grpc::CallbackServerContext* context,
                                                   const v1::ListModelsRequest* request,
                                                   v1::ListModelsResponse* response) {
  return RunUnary(context, executor_, request, response,
                  [](const v1::ListModelsRequest&) -> absl::StatusOr<v1::ListModelsResponse> {
                    return planner::ListBuiltinModels();
                  });
}

grpc::ServerUnaryReactor* ModelService::GetModel(grpc::CallbackServerContext* context,
                                                 const v1::GetModelRequest* request,
                                                 v1::GetModelResponse* response) {
  return RunUnary(context, executor_, request, response, Describe);
}

}  // namespace mantissa::rpc
