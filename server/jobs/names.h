// server/jobs/names.h
//
// What names of things may look like; they become file names and labels, so nothing else passes.
//
//   RETURN_IF_ERROR(CheckName("name", request.name()));
#ifndef MANTISSA_SERVER_JOBS_NAMES_H_
#define MANTISSA_SERVER_JOBS_NAMES_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mantissa::jobs {

// A data set or artifact: 1 to 64 of a-z, 0-9, `-`, `_`, `.`, starting with a letter or a digit.
absl::Status CheckName(absl::string_view field, absl::string_view name);

// A SHA-256: 64 lower-case hexadecimal digits.
absl::Status CheckSha256(absl::string_view field, absl::string_view sha256);

// A file of a data set: relative, no `..`, `.` or empty parts, no control characters, at most 1,024
// bytes.
absl::Status CheckFileName(absl::string_view field, absl::string_view name);

// A text for people: valid UTF-8 without control characters, at most `max_bytes`.
absl::Status CheckText(absl::string_view field, absl::string_view text, size_t max_bytes);

// Labels of a job, and of a search for jobs, at most.
inline constexpr int kMaxLabels = 32;

// Labels: keys of 1 to 63, values of at most 63 of a-z A-Z 0-9 - _ . / .
absl::Status CheckLabel(absl::string_view field, absl::string_view key, absl::string_view value);

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_NAMES_H_
