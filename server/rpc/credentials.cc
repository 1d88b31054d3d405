#include "server/rpc/credentials.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/token.h"
#include "grpc/grpc_security.h"

namespace mantissa::rpc {
namespace {

absl::string_view ViewOf(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

class Credentials : public grpc::ServerCredentials {
 public:
  Credentials(CredentialOptions options, std::function<void(absl::string_view)> on_denied)
      : options_(std::move(options)),
        expected_(absl::StrCat("Bearer ", options_.token)),
        on_denied_(std::move(on_denied)) {}

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    grpc_server_credentials* credentials = NewCredentials();
    if (!options_.token.empty()) {
      grpc_server_credentials_set_auth_metadata_processor(credentials, {&Process, nullptr, this});
    }
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }

  grpc_server_credentials* NewCredentials() const {
    if (options_.tls_cert.empty()) return grpc_insecure_server_credentials_create();
    grpc_ssl_pem_key_cert_pair pair{options_.tls_key.c_str(), options_.tls_cert.c_str()};
    return grpc_ssl_server_credentials_create_ex(nullptr, &pair, 1,
                                                 GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE, nullptr);
  }

  // `state` is valid: credentials outlive their server (credentials.h).
  static void Process(void* state, grpc_auth_context*, const grpc_metadata* metadata, size_t count,
                      grpc_process_auth_metadata_done_cb done, void* user_data) {
    const auto& self = *static_cast<const Credentials*>(state);
    absl::string_view path, authorization;
    for (size_t i = 0; i < count; ++i) {
      const absl::string_view key = ViewOf(metadata[i].key);
      if (key == ":path") path = ViewOf(metadata[i].value);
      if (key == "authorization") authorization = ViewOf(metadata[i].value);
    }
    if (absl::StartsWith(path, "/grpc.health.v1.Health/") ||
        TokensEqual(authorization, self.expected_)) {
      done(user_data, nullptr, 0, nullptr, 0, GRPC_STATUS_OK, nullptr);
      return;
    }
    self.on_denied_(absl::StripPrefix(path, "/"));
    done(user_data, nullptr, 0, nullptr, 0, GRPC_STATUS_UNAUTHENTICATED,
         authorization.empty()
             ? "This server asks for a token: send the metadata `authorization: Bearer TOKEN`."
             : "The token is not this server's. Ask whoever runs it for the right one.");
  }

  const CredentialOptions options_;
  const std::string expected_;
  const std::function<void(absl::string_view)> on_denied_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeCredentials(
    CredentialOptions options, std::function<void(absl::string_view method)> on_denied) {
  return std::make_shared<Credentials>(std::move(options), std::move(on_denied));
}

}  // namespace mantissa::rpc
