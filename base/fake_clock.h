// A clock that stands still until a test moves it.
//
//   FakeClock clock;
//   Queue queue(clock);
//   clock.Advance(absl::Seconds(30));  // wakes whoever waits for that
#ifndef MANTISSA_BASE_FAKE_CLOCK_H_
#define MANTISSA_BASE_FAKE_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace mantissa {

// Thread-safe. Starts at 2026-01-01 00:00:00 UTC unless told otherwise.
class FakeClock : public Clock {
 public:
  FakeClock();
  explicit FakeClock(absl::Time start);

  absl::Time Now() override;
  absl::Duration Monotonic() override;

  // Moves the clock itself: a test's own thread need not wait for another to do it.
  void SleepFor(absl::Duration duration) override;

  bool AwaitUntil(absl::Mutex& mutex, const absl::Condition& condition,
                  absl::Time deadline) override;

  void Advance(absl::Duration duration);

 private:
  absl::Mutex mutex_;
  const absl::Time start_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mantissa

#endif  // MANTISSA_BASE_FAKE_CLOCK_H_
