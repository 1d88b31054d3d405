#include "client/cc/rpc_status.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cc/payload.h"
#include "google/rpc/status.pb.h"

namespace mantissa::client {
namespace {

std::string Explain(const grpc::Status& status, const std::string& address) {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    const std::string message = status.error_message();  // a copy: reason looks into it
    absl::string_view reason = message;
    absl::ConsumePrefix(&reason, "failed to connect to all addresses; last error: ");
    return absl::StrCat("no server answers at ", address, ": ", reason);
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::StrCat("the server at ", address, " did not answer in time");
  }
  return status.error_message();
}

}  // namespace

absl::Status FromRpc(const grpc::Status& status, const std::string& address) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), Explain(status, address));
  result.SetPayload(kCallPayload, absl::Cord("1"));
  google::rpc::Status rich;
  if (rich.ParseFromString(status.error_details())) {
    for (const auto& detail : rich.details()) {
      if (absl::StartsWith(detail.type_url(), kTypeUrlPrefix)) {
        result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
      }
    }
  }
  return result;
}

}  // namespace mantissa::client
