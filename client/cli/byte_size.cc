#include "client/cli/byte_size.h"

#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace mantissa::cli {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

struct Unit {
  absl::string_view name;
  int64_t bytes;
};
constexpr Unit kUnits[] = {
    {"", 1},
    {"B", 1},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", int64_t{1} << 10},
    {"MiB", int64_t{1} << 20},
    {"GiB", int64_t{1} << 30},
    {"TiB", int64_t{1} << 40},
};

const Unit* FindUnit(absl::string_view name) {
  for (const Unit& unit : kUnits) {
    if (absl::EqualsIgnoreCase(unit.name, name)) return &unit;
  }
  return nullptr;
}

// Takes the digits that `text` starts with off it.
absl::string_view TakeDigits(absl::string_view& text) {
  size_t length = 0;
  while (length < text.size() && absl::ascii_isdigit(text[length])) ++length;
  const absl::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

}  // namespace

std::optional<int64_t> ParseByteSize(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const absl::string_view whole_digits = TakeDigits(text);
  absl::string_view part_digits;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    part_digits = TakeDigits(text);
    if (part_digits.empty()) return std::nullopt;
  }
  const Unit* unit = FindUnit(absl::StripLeadingAsciiWhitespace(text));
  int64_t whole = 0;
  // Digits only: SimpleAtoi fails on what is too large.
  if (unit == nullptr || !absl::SimpleAtoi(whole_digits, &whole)) return std::nullopt;
  if (whole > kMost / unit->bytes) return std::nullopt;
  double part = 0;
  if (!part_digits.empty() && !absl::SimpleAtod(absl::StrCat("0.", part_digits), &part)) {
    return std::nullopt;
  }
  const int64_t rest = std::llround(part * static_cast<double>(unit->bytes));
  if (rest > kMost - whole * unit->bytes) return std::nullopt;
  const int64_t bytes = whole * unit->bytes + rest;
  return bytes > 0 ? std::optional<int64_t>(bytes) : std::nullopt;
}

absl::string_view AllowedByteSizes() {
  return "a size above 0 such as 8GiB, 512MiB or 1.5GB, with B, KB, KiB, MB, MiB, GB, GiB, TB or "
         "TiB; without a unit bytes";
}

}  // namespace mantissa::cli
