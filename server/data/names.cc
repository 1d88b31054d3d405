#include "server/data/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/utf8.h"

namespace mantissa::data {

bool IsSafeName(absl::string_view name) {
  if (name.empty() || name.size() > 1024 || !IsUtf8(name)) return false;
  for (char c : name) {
    if (c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](absl::string_view part) { return part.empty() || part == ".."; });
}

bool IsTestName(absl::string_view base) {
  const std::string lower = absl::AsciiStrToLower(base);
  for (absl::string_view word : {"test", "t10k", "val", "valid", "validation"}) {
    for (size_t at = 0; (at = lower.find(word.data(), at)) != std::string::npos; ++at) {
      const size_t end = at + word.size();
      const bool begins = at == 0 || !absl::ascii_isalpha(lower[at - 1]);
      if (begins && (end == lower.size() || !absl::ascii_isalpha(lower[end]))) return true;
    }
  }
  return false;
}

std::string Printable(absl::string_view name) {
  std::string out;
  for (char c : name.substr(0, 128)) {
    if (c >= 0x20 && c < 0x7f) {
      out += c;
    } else {
      absl::StrAppend(&out, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return out;
}

}  // namespace mantissa::data
