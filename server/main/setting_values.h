// server/main/setting_values.h
//
// Texts of settings to values and back.
//
//   ASSIGN_OR_RETURN(int64_t bytes, ParseBytes("8GiB"));
#ifndef MANTISSA_SERVER_MAIN_SETTING_VALUES_H_
#define MANTISSA_SERVER_MAIN_SETTING_VALUES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace mantissa::server {

// Each error text says what is allowed.

absl::StatusOr<int64_t> ParseInt(absl::string_view text, int64_t low, int64_t high);

// "1048576", "512MiB", "8GiB"; KiB, MiB, GiB, TiB.
absl::StatusOr<int64_t> ParseBytes(absl::string_view text);
std::string FormatBytes(int64_t bytes);

// "90s", "10m", "1h30m"; above zero.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// "true", "false".
absl::StatusOr<bool> ParseBool(absl::string_view text);

}  // namespace mantissa::server

#endif  // MANTISSA_SERVER_MAIN_SETTING_VALUES_H_
