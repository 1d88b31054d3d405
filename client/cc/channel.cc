#include "client/cc/channel.h"

#include <arpa/inet.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace mantissa::client {
namespace {

// The server takes messages of at most 4 MiB and sends none larger.
constexpr int kMaxMessageBytes = 4 << 20;

bool IsUnixSocket(absl::string_view address) { return absl::StartsWith(address, "unix:"); }

absl::Status CheckAddress(absl::string_view address) {
  if (IsUnixSocket(address)) return absl::OkStatus();
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return InvalidField("server", address, "HOST:PORT with a port of 1 to 65535, or unix:PATH",
                        "Use for instance 127.0.0.1:7070.");
  }
  return absl::OkStatus();
}

bool IsThisMachine(absl::string_view address) {
  if (IsUnixSocket(address)) return true;
  const std::string host(address.substr(0, address.rfind(':')));
  if (host == "localhost" || host == "[::1]") return true;
  // A name may start like an address: 127.example.com is anybody's.
  in_addr numeric;
  return absl::StartsWith(host, "127.") && inet_pton(AF_INET, host.c_str(), &numeric) == 1;
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  // A server that comes back is found quickly: our own backoff spaces the calls.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // Without these a stream on a connection that silently died would wait for ever.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Retries are ours (client.cc), with what is safe to repeat known.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A proxy from the environment is not for this.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A channel has its own connection: one that failed for another does not hold this one back.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ConnectOptions& options) {
  RETURN_IF_ERROR(CheckAddress(options.address));
  const bool encrypted = !options.tls_roots.empty();
  if (!options.token.empty() && !encrypted && !IsThisMachine(options.address)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the token would travel unencrypted to ", options.address,
                     "; allowed only to this machine. Give --tls-ca FILE with the certificates "
                     "that the server's comes from."));
  }
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (encrypted) {
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = options.tls_roots;
    credentials = grpc::SslCredentials(tls);
  }
  return grpc::CreateCustomChannel(options.address, credentials, Arguments());
}

}  // namespace mantissa::client
