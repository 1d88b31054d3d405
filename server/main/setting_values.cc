#include "server/main/setting_values.h"

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mantissa::server {
namespace {

constexpr std::pair<const char*, int64_t> kUnits[] = {{"TiB", int64_t{1} << 40},
                                                      {"GiB", int64_t{1} << 30},
                                                      {"MiB", int64_t{1} << 20},
                                                      {"KiB", int64_t{1} << 10}};

absl::Status Allowed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("allowed ", what));
}

}  // namespace

absl::StatusOr<int64_t> ParseInt(absl::string_view text, int64_t low, int64_t high) {
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value) && value >= low && value <= high) return value;
  return Allowed(absl::StrCat("a whole number from ", low, " to ", high));
}

absl::StatusOr<int64_t> ParseBytes(absl::string_view text) {
  int64_t unit = 1;
  for (const auto& [name, bytes] : kUnits) {
    if (absl::ConsumeSuffix(&text, name)) {
      unit = bytes;
      break;
    }
  }
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value) && value >= 0 &&
      value <= std::numeric_limits<int64_t>::max() / unit) {
    return value * unit;
  }
  return Allowed("bytes such as 1048576, 512MiB or 8GiB");
}

std::string FormatBytes(int64_t bytes) {
  for (const auto& [name, unit] : kUnits) {
    if (bytes >= unit && bytes % unit == 0) return absl::StrCat(bytes / unit, name);
  }
  return absl::StrCat(bytes);
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration value;
  if (absl::ParseDuration(text, &value) && value > absl::ZeroDuration() &&
      value < absl::InfiniteDuration()) {
    return value;
  }
  return Allowed("a time above zero such as 90s, 10m or 1h30m");
}

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return Allowed("true or false");
}

}  // namespace mantissa::server
