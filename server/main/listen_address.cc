#include "server/main/listen_address.h"

#include <arpa/inet.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace mantissa::server {
namespace {

bool IsAddress(const std::string& host) {
  in_addr v4;
  in6_addr v6;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return true;
  if (host.size() < 3 || host.front() != '[' || host.back() != ']') return false;
  return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) == 1;
}

}  // namespace

bool ListenAddress::IsLoopback() const { return absl::StartsWith(host, "127.") || host == "[::1]"; }

std::string ListenAddress::WithPort(int other) const { return absl::StrCat(host, ":", other); }

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view setting,
                                                 absl::string_view text) {
  ListenAddress address;
  const size_t colon = text.rfind(':');
  if (colon != absl::string_view::npos) {
    address.host = std::string(text.substr(0, colon));
    if (address.host == "localhost") address.host = "127.0.0.1";
    if (IsAddress(address.host) && absl::SimpleAtoi(text.substr(colon + 1), &address.port) &&
        address.port >= 0 && address.port <= 65535) {
      return address;
    }
  }
  return InvalidField(setting, absl::StrCat("\"", text, "\""),
                      "ADDRESS:PORT with a numeric address and a port from 0 to 65535",
                      "Use 127.0.0.1:0 for a free port of this machine.");
}

}  // namespace mantissa::server
