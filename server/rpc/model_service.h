// server/rpc/model_service.h
//
// mantissa.v1.ModelService: the built-in models and server/jobs' uploaded ones.
//
//   ModelService service(parts, executor);
#ifndef MANTISSA_SERVER_RPC_MODEL_SERVICE_H_
#define MANTISSA_SERVER_RPC_MODEL_SERVICE_H_

#include "mantissa/v1/model.grpc.pb.h"
#include "server/jobs/model_desk.h"
#include "server/jobs/model_store.h"
#include "server/rpc/executor.h"
#include "server/rpc/planning.h"

namespace mantissa::rpc {

class ModelService : public v1::ModelService::CallbackService {
 public:
  struct Parts {
    jobs::ModelDesk& desk;
    jobs::ModelStore& store;
    WirePlanner& planner;
  };
  ModelService(Parts parts, Executor& executor) : parts_(parts), executor_(executor) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListModelsRequest* request,
                                       v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context,
                                     const v1::GetModelRequest* request,
                                     v1::GetModelResponse* response) override;
  grpc::ServerUnaryReactor* CreateModel(grpc::CallbackServerContext* context,
                                        const v1::CreateModelRequest* request,
                                        v1::Model* response) override;
  grpc::ServerUnaryReactor* DeleteModel(grpc::CallbackServerContext* context,
                                        const v1::DeleteModelRequest* request,
                                        v1::DeleteModelResponse* response) override;

 private:
  absl::StatusOr<v1::ListModelsResponse> List(const v1::ListModelsRequest& request);

  const Parts parts_;
  Executor& executor_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_MODEL_SERVICE_H_
