#include "server/rpc/status.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/utf8.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace mantissa::rpc {
namespace {

// Trailers are limited to 8 KiB by default; a text much longer than this tells nobody more.
constexpr size_t kMaxText = 2048;

std::string Shortened(absl::string_view text) {
  return text.size() <= kMaxText ? std::string(text) : absl::StrCat(CutUtf8(text, kMaxText), "...");
}

void AddViolations(const absl::Status& status, google::rpc::Status& out) {
  const std::vector<FieldViolation> violations = FieldViolationsOf(status);
  if (violations.empty()) return;
  google::rpc::BadRequest request;
  for (const FieldViolation& violation : violations) {
    auto* field = request.add_field_violations();
    field->set_field(Shortened(violation.field));
    field->set_description(Shortened(violation.Text()));
  }
  out.add_details()->PackFrom(request);
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(Shortened(status.message()));
  AddViolations(status, details);
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    if (!absl::StartsWith(url, "type.googleapis.com/")) return;
    google::protobuf::Any& detail = *details.add_details();
    detail.set_type_url(std::string(url));
    detail.set_value(std::string(payload));
  });
  google::rpc::ErrorInfo info;
  info.set_reason(absl::StatusCodeToString(status.code()));
  info.set_domain("mantissa");
  details.add_details()->PackFrom(info);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), details.message(),
                      details.SerializeAsString());
}

}  // namespace mantissa::rpc
