#include "server/rpc/rpc_server.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "server/rpc/call_metrics.h"

namespace mantissa::rpc {
namespace {

// What one peer may hold, and all of them together.
constexpr int kMaxStreamsPerConnection = 100;
constexpr size_t kMaxBufferBytes = size_t{512} << 20;

void SetLimits(bool public_api, grpc::ServerBuilder& builder) {
  const int most = public_api ? kMaxMessageBytes : kMaxWorkerMessageBytes;
  builder.SetMaxReceiveMessageSize(most);
  builder.SetMaxSendMessageSize(most);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  // Watches are long and quiet: find peers that are gone, allow their pings.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30 * 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * 1000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5 * 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // A second server on the port must fail, not share it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  grpc::ResourceQuota quota("mantissad");
  quota.Resize(kMaxBufferBytes);
  builder.SetResourceQuota(quota);
}

}  // namespace

RpcServer::RpcServer() = default;

RpcServer::~RpcServer() { Stop(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(
    const ListenOptions& options, const std::vector<grpc::Service*>& services,
    metrics::Metrics& metrics, Clock& clock) {
  grpc::EnableDefaultHealthCheckService(options.public_api);
  if (options.public_api) {
    // Links the descriptor, so that reflection can describe the health service that it lists.
    MANTISSA_CHECK(grpc::health::v1::HealthCheckRequest::descriptor() != nullptr);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  }
  std::unique_ptr<RpcServer> server(new RpcServer());
  grpc::ServerBuilder builder;
  SetLimits(options.public_api, builder);
  server->credentials_ = MakeCredentials(
      options.credentials, [&metrics](absl::string_view method) { CountDenied(metrics, method); });
  builder.AddListeningPort(options.address, server->credentials_, &server->port_);
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.experimental().SetInterceptorCreators(CallMetricsCreators(metrics, clock));
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        "Can't listen on ", options.address,
        ". Use an address of this machine and a free port, or port 0 to take any; with TLS, check "
        "that certificate and key are PEM files that belong together."));
  }
  absl::string_view path = options.address;
  if (absl::ConsumePrefix(&path, "unix:")) chmod(std::string(path).c_str(), 0600);
  return server;
}

void RpcServer::Stop(absl::Duration grace) {
  if (server_ == nullptr) return;
  server_->Shutdown(absl::ToChronoTime(RealClock().Now() + grace));
  server_->Wait();
  server_.reset();
}

}  // namespace mantissa::rpc
