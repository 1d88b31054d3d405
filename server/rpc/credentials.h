// server/rpc/credentials.h
//
// How the server listens: with or without TLS, with or without a token. The token is checked here
// and nowhere else, before any handler sees a call, whatever the service; only health checks pass
// without it.
//
//   builder.AddListeningPort(address, MakeCredentials({.token = token}, on_denied), &port);
//
// gRPC's own insecure credentials take no check of metadata; these do, through the C core.
#ifndef MANTISSA_SERVER_RPC_CREDENTIALS_H_
#define MANTISSA_SERVER_RPC_CREDENTIALS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "grpcpp/security/server_credentials.h"

namespace mantissa::rpc {

struct CredentialOptions {
  // PEM texts; both empty: no TLS.
  std::string tls_cert, tls_key;
  // Empty: none is asked for.
  std::string token;
};

// `on_denied` gets the method ("package.Service/Method") of each call that was refused; it must be
// short. May be called from several threads. The result must outlive the server: gRPC's own objects
// do not keep it.
std::shared_ptr<grpc::ServerCredentials> MakeCredentials(
    CredentialOptions options, std::function<void(absl::string_view method)> on_denied);

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_CREDENTIALS_H_
