// server/jobs/errors.h
//
// Errors that carry a google.rpc detail beside their text. The detail travels as a payload of the
// absl::Status under its type URL; server/rpc copies it into the answer.
//
//   return NotFound("dataset", name, "See the names with ListDatasets.");
//
// A field of a request that is out of range is base's InvalidField, not one of these.
#ifndef MANTISSA_SERVER_JOBS_ERRORS_H_
#define MANTISSA_SERVER_JOBS_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status.h"

namespace mantissa::jobs {

// NOT_FOUND: "There is no dataset `x`. See ...", with a ResourceInfo.
absl::Status NotFound(absl::string_view kind, absl::string_view name, absl::string_view remedy);

// ALREADY_EXISTS with a ResourceInfo. `text` says what is there and what to do.
absl::Status AlreadyExists(absl::string_view kind, absl::string_view name, absl::string_view text);

// FAILED_PRECONDITION with a PreconditionFailure. `type` is upper snake case: "DATASET_IN_USE".
absl::Status Precondition(absl::string_view type, absl::string_view subject,
                          absl::string_view text);

// RESOURCE_EXHAUSTED with a QuotaFailure. `text` names what was asked, the limit and the remedy.
absl::Status OverLimit(absl::string_view subject, absl::string_view text);

// InvalidField for a value of any type that absl::StrCat takes.
template <typename T>
absl::Status Invalid(absl::string_view field, const T& given, absl::string_view allowed,
                     absl::string_view remedy) {
  return InvalidField(field, absl::StrCat(given), allowed, remedy);
}

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_ERRORS_H_
