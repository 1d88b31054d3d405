#include "server/metrics/exporter.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace mantissa::metrics {
namespace {

// The answer to GET `path`, head and body.
std::string Get(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return "";
  const std::string request =
      absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t got; (got = recv(fd, buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, got);
  close(fd);
  return answer;
}

TEST(Exporter, ServesValuesThatAreRefreshedAtEachScrape) {
  Metrics metrics;
  int scrapes = 0;
  const auto exporter = Exporter::Start("127.0.0.1:0", metrics,
                                        [&] { metrics.Set(Metric::kQueueAge, {}, ++scrapes); });
  ASSERT_TRUE(exporter.ok()) << exporter.status();
  ASSERT_GT((*exporter)->port(), 0);
  const std::string first = Get((*exporter)->port(), "/metrics");
  EXPECT_TRUE(absl::StartsWith(first, "HTTP/1.1 200")) << first;
  EXPECT_TRUE(absl::StrContains(first, "# TYPE mantissa_queue_age_seconds gauge")) << first;
  EXPECT_TRUE(absl::StrContains(first, "mantissa_queue_age_seconds 1"));
  EXPECT_TRUE(
      absl::StrContains(Get((*exporter)->port(), "/metrics"), "mantissa_queue_age_seconds 2"));
}

TEST(Exporter, AnAddressInUseIsAClearError) {
  Metrics metrics;
  const auto first = Exporter::Start("127.0.0.1:0", metrics, [] {});
  ASSERT_TRUE(first.ok());
  const std::string address = absl::StrCat("127.0.0.1:", (*first)->port());
  const absl::Status status = Exporter::Start(address, metrics, [] {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), address)) << status;
}

}  // namespace
}  // namespace mantissa::metrics
