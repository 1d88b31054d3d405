#include "server/rpc/page.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace mantissa::rpc {

absl::StatusOr<int> PageSize(int given) {
  if (given < 0 || given > 1000) {
    return InvalidField("page_size", absl::StrCat(given), "1 to 1000", "Leave it out for 100.");
  }
  return given == 0 ? 100 : given;
}

std::string MakePageToken(absl::string_view call, absl::string_view position) {
  return absl::WebSafeBase64Escape(absl::StrCat(call, ":", position));
}

absl::StatusOr<std::string> ParsePageToken(absl::string_view call, absl::string_view token) {
  if (token.empty()) return std::string();
  std::string text;
  absl::string_view position;
  if (absl::WebSafeBase64Unescape(token, &text)) {
    position = text;
    if (absl::ConsumePrefix(&position, absl::StrCat(call, ":")) && !position.empty()) {
      return std::string(position);
    }
  }
  return InvalidField("page_token", absl::StrCat("\"", absl::CHexEscape(token.substr(0, 80)), "\""),
                      "a next_page_token of this call", "Start without one.");
}

}  // namespace mantissa::rpc
