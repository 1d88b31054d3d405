// server/main/listen_address.h
//
// HOST:PORT of a listener.
//
//   ASSIGN_OR_RETURN(ListenAddress address, ParseListenAddress("listen", "127.0.0.1:0"));
//   if (!address.IsLoopback()) ...
#ifndef MANTISSA_SERVER_MAIN_LISTEN_ADDRESS_H_
#define MANTISSA_SERVER_MAIN_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa::server {

struct ListenAddress {
  std::string host;  // "127.0.0.1", "[::1]", "0.0.0.0", "[::]"
  int port = 0;

  bool IsLoopback() const;
  std::string Text() const { return WithPort(port); }
  std::string WithPort(int other) const;
};

// `localhost` becomes 127.0.0.1. INVALID_ARGUMENT names the setting for what is no numeric address.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view setting, absl::string_view text);

}  // namespace mantissa::server

#endif  // MANTISSA_SERVER_MAIN_LISTEN_ADDRESS_H_
