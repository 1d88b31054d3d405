#include "server/main/listen_address.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace mantissa::server {
namespace {

TEST(ListenAddress, TellsLoopbackFromTheOutside) {
  for (const char* text : {"127.0.0.1:0", "127.1.2.3:80", "[::1]:7070", "localhost:1"}) {
    EXPECT_TRUE(ParseListenAddress("listen", text)->IsLoopback()) << text;
  }
  for (const char* text : {"0.0.0.0:0", "[::]:1", "192.168.1.1:7070", "[fe80::1]:7070"}) {
    EXPECT_FALSE(ParseListenAddress("listen", text)->IsLoopback()) << text;
  }
}

TEST(ListenAddress, RefusesWhatIsNoNumericAddressWithAPort) {
  for (const char* text : {"", ":", "127.0.0.1", "127.0.0.1:", ":7070", "127.0.0.1:65536",
                           "127.0.0.1:-1", "example.com:80", "::1:80", "127.evil.example:80"}) {
    const absl::Status status = ParseListenAddress("listen", text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_TRUE(absl::StrContains(status.message(), "listen is")) << status;
  }
}

TEST(ListenAddress, WritesThePortThatWasFound) {
  EXPECT_EQ(ParseListenAddress("listen", "localhost:0")->WithPort(81), "127.0.0.1:81");
  EXPECT_EQ(ParseListenAddress("listen", "[::1]:0")->WithPort(81), "[::1]:81");
}

}  // namespace
}  // namespace mantissa::server
