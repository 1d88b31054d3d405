#include "client/cc/errors.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "client/cc/payload.h"
#include "google/rpc/error_details.pb.h"

namespace mantissa::client {
namespace {

// The detail of type `Message` in `status`; false if there is none or it cannot be decoded.
template <typename Message>
bool Decode(const absl::Status& status, Message* message) {
  const auto payload =
      status.GetPayload(absl::StrCat(kTypeUrlPrefix, Message::descriptor()->full_name()));
  return payload.has_value() && message->ParseFromString(std::string(*payload));
}

void ReadViolations(const absl::Status& status, ErrorDetails& details) {
  google::rpc::BadRequest request;
  if (Decode(status, &request)) {
    for (const auto& v : request.field_violations()) {
      details.violations.push_back({v.field(), v.description()});
    }
  }
  google::rpc::PreconditionFailure precondition;
  if (Decode(status, &precondition)) {
    for (const auto& v : precondition.violations()) {
      details.violations.push_back({v.subject(), v.description()});
    }
  }
  google::rpc::QuotaFailure quota;
  if (Decode(status, &quota)) {
    for (const auto& v : quota.violations()) {
      details.violations.push_back({v.subject(), v.description()});
    }
  }
}

void ReadResource(const absl::Status& status, ErrorDetails& details) {
  google::rpc::ErrorInfo info;
  if (Decode(status, &info)) details.reason = info.reason();
  google::rpc::ResourceInfo resource;
  if (Decode(status, &resource)) {
    details.resource_type = resource.resource_type();
    details.resource_name = resource.resource_name();
  }
}

void ReadRemedies(const absl::Status& status, ErrorDetails& details) {
  google::rpc::Help help;
  if (Decode(status, &help)) {
    for (const auto& link : help.links()) {
      details.remedies.push_back(link.url().empty()
                                     ? link.description()
                                     : absl::StrCat(link.description(), " (", link.url(), ")"));
    }
  }
  google::rpc::LocalizedMessage localized;
  if (Decode(status, &localized)) details.remedies.push_back(localized.message());
}

}  // namespace

ErrorDetails DetailsOf(const absl::Status& status) {
  ErrorDetails details;
  ReadViolations(status, details);
  ReadResource(status, details);
  ReadRemedies(status, details);
  return details;
}

bool IsFromCall(const absl::Status& status) { return status.GetPayload(kCallPayload).has_value(); }

absl::Status AsFromCall(absl::Status status) {
  if (!status.ok()) status.SetPayload(kCallPayload, absl::Cord("1"));
  return status;
}

bool IsUnreachable(const absl::Status& status) {
  return IsFromCall(status) && (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status));
}

}  // namespace mantissa::client
