#include "server/jobs/names.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/status.h"
#include "base/utf8.h"

namespace mantissa::jobs {
namespace {

// For error texts: printable and short.
std::string Shown(absl::string_view text) {
  constexpr size_t kMax = 80;
  std::string shown = EscapeControlCharacters(CutUtf8(text, kMax));
  return absl::StrCat("\"", shown, text.size() > kMax ? "..." : "", "\"");
}

bool IsNameChar(char c) {
  return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '_' || c == '.';
}

bool IsLabelChar(char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
}

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return absl::ascii_iscntrl(c); });
}

}  // namespace

absl::Status CheckName(absl::string_view field, absl::string_view name) {
  if (!name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), IsNameChar) &&
      absl::ascii_isalnum(name[0])) {
    return absl::OkStatus();
  }
  return InvalidField(field, Shown(name),
                      "1 to 64 of a-z, 0-9, -, _ and ., starting with a letter or a digit",
                      "Use a name such as digits-8x8.");
}

absl::Status CheckSha256(absl::string_view field, absl::string_view sha256) {
  if (IsSha256Hex(sha256)) return absl::OkStatus();
  return InvalidField(field, Shown(sha256), "64 lower-case hexadecimal digits",
                      "Use the SHA-256 of the whole file, as sha256sum prints it.");
}

absl::Status CheckFileName(absl::string_view field, absl::string_view name) {
  bool good = !name.empty() && name.size() <= 1024 && !HasControl(name) && IsUtf8(name);
  for (absl::string_view part : absl::StrSplit(name, '/')) {
    good = good && !part.empty() && part != "." && part != "..";
  }
  if (good) return absl::OkStatus();
  return InvalidField(field, Shown(name),
                      "a relative path of 1 to 1,024 bytes without .. or control characters",
                      "Name files relative to the data set's folder.");
}

absl::Status CheckText(absl::string_view field, absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes && !HasControl(text) && IsUtf8(text)) return absl::OkStatus();
  return InvalidField(field, Shown(text),
                      absl::StrCat("at most ", max_bytes, " bytes of UTF-8, no control characters"),
                      "Shorten or clean it.");
}

absl::Status CheckLabel(absl::string_view field, absl::string_view key, absl::string_view value) {
  if (!key.empty() && key.size() <= 63 && value.size() <= 63 &&
      std::all_of(key.begin(), key.end(), IsLabelChar) &&
      std::all_of(value.begin(), value.end(), IsLabelChar)) {
    return absl::OkStatus();
  }
  return InvalidField(field, Shown(absl::StrCat(key, "=", value)),
                      "keys of 1 to 63 and values of at most 63 of a-z A-Z 0-9 - _ . /",
                      "Use a label such as team=vision.");
}

}  // namespace mantissa::jobs
