#include "client/cli/text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/utf8.h"

namespace mantissa::cli {
namespace {

// Controls (C0, DEL, C1), line separators and marks of writing direction.
bool IsHarmful(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF;
}

std::string Clean(absl::string_view text, absl::string_view kept) {
  std::string result;
  while (!text.empty()) {
    uint32_t character = 0;
    const int length = DecodeUtf8(text, &character);
    if (length == 0) {
      absl::StrAppendFormat(&result, "\\x%02x", static_cast<uint8_t>(text[0]));
    } else if (!IsHarmful(character) || (length == 1 && absl::StrContains(kept, text[0]))) {
      result.append(text.data(), length);
    } else if (character < 0x100) {
      absl::StrAppendFormat(&result, "\\x%02x", character);
    } else {
      absl::StrAppendFormat(&result, "\\u{%04x}", character);
    }
    text.remove_prefix(std::max(length, 1));
  }
  return result;
}

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

}  // namespace

std::string Printable(absl::string_view text) { return Clean(text, ""); }

std::string PrintableLines(absl::string_view text) { return Clean(text, "\n\t"); }

int DisplayWidth(absl::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::string Fit(absl::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width <= 0) return "";
  size_t end = 0;
  for (int columns = 0; end < text.size(); ++end) {
    if (!IsContinuation(text[end]) && ++columns == width) break;
  }
  return absl::StrCat(text.substr(0, end), "…");
}

std::vector<std::string> Wrap(absl::string_view text, int width) {
  std::vector<std::string> lines(1);
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    std::string& line = lines.back();
    if (line.empty()) {
      line = std::string(word);
    } else if (DisplayWidth(line) + 1 + DisplayWidth(word) <= width) {
      absl::StrAppend(&line, " ", word);
    } else {
      lines.emplace_back(word);
    }
  }
  return lines;
}

std::string Count(int64_t number) {
  std::string digits = absl::StrCat(number);
  const int first = number < 0 ? 1 : 0;
  for (int i = static_cast<int>(digits.size()) - 3; i > first; i -= 3) digits.insert(i, ",");
  return digits;
}

std::string Bytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (std::abs(value) >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0) return absl::StrCat(bytes, " B");
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string BitsAsBytes(int64_t bits) { return Bytes(bits / 8); }

std::string Percent(double share) {
  if (!std::isfinite(share)) return "-";
  return absl::StrFormat("%.2f%%", share * 100);
}

std::string Number(double value) { return absl::StrFormat("%.6g", value); }

std::string Span(absl::Duration duration) {
  const double seconds = absl::ToDoubleSeconds(duration);
  if (!(seconds >= 0) || std::isinf(seconds)) return "-";
  if (seconds < 1) return absl::StrFormat("%d ms", static_cast<int>(seconds * 1000));
  if (seconds < 60) return absl::StrFormat("%.1f s", std::floor(seconds * 10) / 10);
  const int64_t whole = static_cast<int64_t>(seconds);
  if (whole < 3600) return absl::StrFormat("%dm %02ds", whole / 60, whole % 60);
  if (whole < 86400) return absl::StrFormat("%dh %02dm", whole / 3600, whole / 60 % 60);
  return absl::StrFormat("%dd %02dh", whole / 86400, whole / 3600 % 24);
}

std::string Moment(absl::Time time) {
  if (time == absl::InfinitePast()) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone());
}

}  // namespace mantissa::cli
