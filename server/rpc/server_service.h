// server/rpc/server_service.h
//
// mantissa.v1.ServerService: version, limits and load.
//
//   ServerService service([&] { return info; }, executor);
#ifndef MANTISSA_SERVER_RPC_SERVER_SERVICE_H_
#define MANTISSA_SERVER_RPC_SERVER_SERVICE_H_

#include <functional>

#include "absl/status/statusor.h"
#include "mantissa/v1/server.grpc.pb.h"
#include "server/rpc/executor.h"

namespace mantissa::rpc {

class ServerService : public v1::ServerService::CallbackService {
 public:
  // `info` is called for each request, on the executor.
  ServerService(std::function<absl::StatusOr<v1::ServerInfo>()> info, Executor& executor)
      : info_(std::move(info)), executor_(executor) {}

  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const v1::GetServerInfoRequest* request,
                                          v1::ServerInfo* response) override;

 private:
  const std::function<absl::StatusOr<v1::ServerInfo>()> info_;
  Executor& executor_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_SERVER_SERVICE_H_
