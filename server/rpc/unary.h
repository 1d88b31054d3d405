// server/rpc/unary.h
//
// Runs the handler of a unary call on the executor and answers with what it returns.
//
//   grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
//                                    const v1::GetJobRequest* request, v1::Job* response) override
//                                    {
//     return RunUnary(context, executor_, request, response,
//                     [this](const v1::GetJobRequest& request) { return desk_.Get(request.id());
//                     });
//   }
#ifndef MANTISSA_SERVER_RPC_UNARY_H_
#define MANTISSA_SERVER_RPC_UNARY_H_

#include <utility>

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/rpc/executor.h"
#include "server/rpc/status.h"

namespace mantissa::rpc {

inline absl::Status Busy() {
  return absl::ResourceExhaustedError("The server has too much to do. Try again in a second.");
}

// `handler` takes the request and returns StatusOr<Response>.
template <typename Request, typename Response, typename Handler>
grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext* context, Executor& executor,
                                   const Request* request, Response* response, Handler handler) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool taken = executor.TryPost([=, handler = std::move(handler)] {
    absl::StatusOr<Response> result = handler(*request);
    if (result.ok()) *response = *std::move(result);
    reactor->Finish(ToGrpcStatus(result.status()));
  });
  if (!taken) reactor->Finish(ToGrpcStatus(Busy()));
  return reactor;
}

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_UNARY_H_
