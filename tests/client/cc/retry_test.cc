#include "client/cc/retry.h"

#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "client/cc/errors.h"

namespace mantissa::client {
namespace {

const RetryOptions kOptions = {.first_wait = absl::Seconds(1), .longest_wait = absl::Seconds(8)};

TEST(BackoffTest, DoublesUpToLongestWaitWithinHalf) {
  Backoff backoff(kOptions, /*seed=*/7);
  for (int nominal : {1, 2, 4, 8, 8, 8}) {
    const absl::Duration wait = backoff.Next();
    EXPECT_GE(wait, absl::Seconds(nominal) / 2);
    EXPECT_LE(wait, absl::Seconds(nominal));
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(), absl::Seconds(1));
}

TEST(BackoffTest, DiffersBetweenClientsOfOneServer) {
  EXPECT_NE(Backoff(kOptions, 1).Next(), Backoff(kOptions, 2).Next());
}

TEST(PauseTest, EndsAtOnceWhenStopIsRequested) {
  FakeClock clock;  // nobody moves it
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(Pause(clock, stop.get_token(), absl::Hours(1)));
}

TEST(IsBrokenTest, HoldsOnlyForCallsThatLostTheirServer) {
  EXPECT_TRUE(IsBroken(AsFromCall(absl::UnavailableError("gone"))));
  EXPECT_TRUE(IsBroken(AsFromCall(absl::CancelledError("shutting down"))));
  EXPECT_TRUE(IsBroken(AsFromCall(absl::InternalError("Received RST_STREAM"))));
  EXPECT_FALSE(IsBroken(AsFromCall(absl::InternalError("a fault"))));
  EXPECT_FALSE(IsBroken(AsFromCall(absl::NotFoundError("no job"))));
  EXPECT_FALSE(IsBroken(absl::UnavailableError("not of a call")));
}

}  // namespace
}  // namespace mantissa::client
