// server/rpc/rpc_server.h
//
// Listens: the API on an address, the workers' service on a Unix socket.
//
//   ASSIGN_OR_RETURN(auto server, RpcServer::Start({.address = "127.0.0.1:0"}, services, metrics));
//   Print(server->port());
//   server->Stop();
#ifndef MANTISSA_SERVER_RPC_RPC_SERVER_H_
#define MANTISSA_SERVER_RPC_RPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "server/metrics/metrics.h"
#include "server/rpc/credentials.h"

namespace grpc {
class Server;
class ServerCredentials;
class Service;
}  // namespace grpc

namespace mantissa::rpc {

// Largest message of the API, in bytes.
inline constexpr int kMaxMessageBytes = 4 << 20;
// The same between the server and its workers: a task has the whole plan, a report a whole graph.
inline constexpr int kMaxWorkerMessageBytes = 256 << 20;

struct ListenOptions {
  // "HOST:PORT" or "unix:PATH"; port 0 picks a free one.
  std::string address;
  CredentialOptions credentials;
  // Health checks and reflection are the API's, not the workers'.
  bool public_api = true;
};

class RpcServer {
 public:
  // UNAVAILABLE if the address can't be listened on. The services must outlive it.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(
      const ListenOptions& options, const std::vector<grpc::Service*>& services,
      metrics::Metrics& metrics, Clock& clock);
  ~RpcServer();

  int port() const { return port_; }

  // Takes no new calls, gives those that run `grace`, then cancels them.
  void Stop(absl::Duration grace);

 private:
  RpcServer();

  // gRPC's server keeps none of its credentials; ours check each call.
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_RPC_SERVER_H_
