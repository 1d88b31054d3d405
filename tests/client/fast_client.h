// tests/client/fast_client.h
//
// A client that tries again at once, for tests.

#ifndef MANTISSA_TESTS_CLIENT_FAST_CLIENT_H_
#define MANTISSA_TESTS_CLIENT_FAST_CLIENT_H_

#include <memory>
#include <string>

#include "base/status.h"
#include "client/cc/client.h"

namespace mantissa {

inline client::ConnectOptions FastOptions(const std::string& address) {
  return {.address = address,
          .call_timeout = absl::Seconds(10),
          .retry = {.first_wait = absl::Milliseconds(1),
                    .longest_wait = absl::Milliseconds(50),
                    .call_attempts = 3,
                    .patience = absl::Seconds(20)}};
}

inline std::unique_ptr<client::Client> FastClient(const client::ConnectOptions& options) {
  auto connected = client::Client::Connect(options);
  MANTISSA_CHECK_OK(connected);
  return *std::move(connected);
}

}  // namespace mantissa

#endif  // MANTISSA_TESTS_CLIENT_FAST_CLIENT_H_
