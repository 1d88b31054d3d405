#include "base/fake_clock.h"

#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "gtest/gtest.h"

namespace mantissa {
namespace {

TEST(FakeClock, StandsStillUntilAdvanced) {
  FakeClock clock;
  const absl::Time start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(absl::Seconds(5));
  clock.SleepFor(absl::Seconds(1));
  EXPECT_EQ(clock.Now(), start + absl::Seconds(6));
  EXPECT_EQ(clock.Monotonic(), absl::Seconds(6));
}

// What every clock must do when the condition comes true before the deadline.
void ExpectWakesOnCondition(Clock& clock) {
  absl::Mutex mutex;
  bool ready = false;
  std::thread setter([&] {
    absl::MutexLock lock(&mutex);
    ready = true;
  });
  {
    absl::MutexLock lock(&mutex);
    EXPECT_TRUE(clock.AwaitUntil(mutex, absl::Condition(&ready), absl::InfiniteFuture()));
  }
  setter.join();
}

TEST(FakeClock, AwaitWakesWhenConditionComesTrue) {
  FakeClock clock;
  ExpectWakesOnCondition(clock);
}

TEST(FakeClock, AwaitEndsWhenTimeIsMovedToTheDeadline) {
  FakeClock clock;
  const absl::Time deadline = clock.Now() + absl::Hours(1);
  absl::Mutex mutex;
  bool never = false;
  std::thread mover([&] { clock.Advance(absl::Hours(1)); });
  {
    absl::MutexLock lock(&mutex);
    EXPECT_FALSE(clock.AwaitUntil(mutex, absl::Condition(&never), deadline));
  }
  mover.join();
}

TEST(RealClock, AwaitWakesWhenConditionComesTrue) { ExpectWakesOnCondition(RealClock()); }

TEST(RealClock, MonotonicTimePassesWhileSleeping) {
  const absl::Duration start = RealClock().Monotonic();
  const absl::Time wall = RealClock().Now();
  RealClock().SleepFor(absl::Milliseconds(2));
  EXPECT_GE(RealClock().Monotonic() - start, absl::Milliseconds(2));
  EXPECT_GE(wall, absl::FromUnixSeconds(1700000000));
}

TEST(RealClock, AwaitEndsAtTheDeadline) {
  absl::Mutex mutex;
  bool never = false;
  absl::MutexLock lock(&mutex);
  EXPECT_FALSE(RealClock().AwaitUntil(mutex, absl::Condition(&never),
                                      RealClock().Now() + absl::Milliseconds(2)));
}

}  // namespace
}  // namespace mantissa
