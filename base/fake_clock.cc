#include "base/fake_clock.h"

namespace mantissa {

FakeClock::FakeClock()
    : FakeClock(absl::FromCivil(absl::CivilDay(2026, 1, 1), absl::UTCTimeZone())) {}

FakeClock::FakeClock(absl::Time start) : start_(start), now_(start) {}

absl::Time FakeClock::Now() {
  absl::MutexLock lock(&mutex_);
  return now_;
}

absl::Duration FakeClock::Monotonic() { return Now() - start_; }

void FakeClock::SleepFor(absl::Duration duration) { Advance(duration); }

bool FakeClock::AwaitUntil(absl::Mutex& mutex, const absl::Condition& condition,
                           absl::Time deadline) {
  // The caller's mutex is not told when the time moves, so look often.
  while (!mutex.AwaitWithTimeout(condition, absl::Milliseconds(1))) {
    if (Now() >= deadline) return condition.Eval();
  }
  return true;
}

void FakeClock::Advance(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  now_ += duration;
}

}  // namespace mantissa
