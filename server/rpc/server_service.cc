#include "server/rpc/server_service.h"

#include "server/rpc/unary.h"

namespace mantissa::rpc {

grpc::ServerUnaryReactor* ServerService::GetServerInfo(grpc::CallbackServerContext* context,
                                                       const v1::GetServerInfoRequest* request,
                                                       v1::ServerInfo* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::GetServerInfoRequest&) { return info_(); });
}

}  // namespace mantissa::rpc
