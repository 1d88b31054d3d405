// server/rpc/planner_service.h
//
// mantissa.v1.PlannerService and ModelService over planner/wire.
//
//   PlannerService planner(executor);
//   ModelService models(executor);
#ifndef MANTISSA_SERVER_RPC_PLANNER_SERVICE_H_
#define MANTISSA_SERVER_RPC_PLANNER_SERVICE_H_

#include "mantissa/v1/model.grpc.pb.h"
#include "mantissa/v1/planner.grpc.pb.h"
#include "server/rpc/executor.h"

namespace mantissa::rpc {

class PlannerService : public v1::PlannerService::CallbackService {
 public:
  explicit PlannerService(Executor& executor) : executor_(executor) {}

  grpc::ServerUnaryReactor* Plan(grpc::CallbackServerContext* context,
                                 const v1::PlanRequest* request,
                                 v1::PlanResponse* response) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::ExplainRequest* request,
                                    v1::ExplainResponse* response) override;

 private:
  Executor& executor_;
};

class ModelService : public v1::ModelService::CallbackService {
 public:
  explicit ModelService(Executor& executor) : executor_(executor) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListModelsRequest* request,
                                       v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context,
                                     const v1::GetModelRequest* request,
                                     v1::GetModelResponse* response) override;

 private:
  Executor& executor_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_PLANNER_SERVICE_H_
