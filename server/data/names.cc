#include "server/data/names.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"

namespace mantissa::data {

bool IsSafeName(absl::string_view name) {
  if (name.empty() || name.size() > 1024) return false;
  for (char c : name) {
    if (c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](absl::string_view part) { return part.empty() || part == ".."; });
}

std::string Printable(absl::string_view name) { return absl::CHexEscape(name.substr(0, 128)); }

}  // namespace mantissa::data
