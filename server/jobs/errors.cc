#include "server/jobs/errors.h"

#include <string>

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"

namespace mantissa::jobs {
namespace {

template <typename Detail>
absl::Status WithDetail(absl::StatusCode code, absl::string_view text, const Detail& detail) {
  absl::Status status(code, text);
  status.SetPayload(absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()),
                    absl::Cord(detail.SerializeAsString()));
  return status;
}

google::rpc::ResourceInfo Resource(absl::string_view kind, absl::string_view name,
                                   absl::string_view text) {
  google::rpc::ResourceInfo info;
  info.set_resource_type(std::string(kind));
  info.set_resource_name(std::string(name));
  info.set_description(std::string(text));
  return info;
}

}  // namespace

absl::Status NotFound(absl::string_view kind, absl::string_view name, absl::string_view remedy) {
  const std::string text = absl::StrCat("There is no ", kind, " `", name, "`. ", remedy);
  return WithDetail(absl::StatusCode::kNotFound, text, Resource(kind, name, text));
}

absl::Status AlreadyExists(absl::string_view kind, absl::string_view name, absl::string_view text) {
  return WithDetail(absl::StatusCode::kAlreadyExists, text, Resource(kind, name, text));
}

absl::Status Precondition(absl::string_view type, absl::string_view subject,
                          absl::string_view text) {
  google::rpc::PreconditionFailure failure;
  auto* violation = failure.add_violations();
  violation->set_type(std::string(type));
  violation->set_subject(std::string(subject));
  violation->set_description(std::string(text));
  return WithDetail(absl::StatusCode::kFailedPrecondition, text, failure);
}

absl::Status OverLimit(absl::string_view subject, absl::string_view text) {
  google::rpc::QuotaFailure failure;
  auto* violation = failure.add_violations();
  violation->set_subject(std::string(subject));
  violation->set_description(std::string(text));
  return WithDetail(absl::StatusCode::kResourceExhausted, text, failure);
}

}  // namespace mantissa::jobs
