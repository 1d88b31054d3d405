// server/rpc/planner_service.h
//
// mantissa.v1.PlannerService over planning.h.
//
//   PlannerService service(planner, executor);
#ifndef MANTISSA_SERVER_RPC_PLANNER_SERVICE_H_
#define MANTISSA_SERVER_RPC_PLANNER_SERVICE_H_

#include "mantissa/v1/planner.grpc.pb.h"
#include "server/rpc/executor.h"
#include "server/rpc/planning.h"

namespace mantissa::rpc {

class PlannerService : public v1::PlannerService::CallbackService {
 public:
  PlannerService(WirePlanner& planner, Executor& executor)
      : planner_(planner), executor_(executor) {}

  grpc::ServerUnaryReactor* Plan(grpc::CallbackServerContext* context,
                                 const v1::PlanRequest* request,
                                 v1::PlanResponse* response) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::ExplainRequest* request,
                                    v1::ExplainResponse* response) override;

 private:
  WirePlanner& planner_;
  Executor& executor_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_PLANNER_SERVICE_H_
