// The only door to the time, so that tests can move it by hand (fake_clock.h).
//
//   Queue(Clock& clock) ...
//   const absl::Time due = clock.Now() + absl::Seconds(30);
//   absl::MutexLock lock(&mutex_);
//   clock.AwaitUntil(mutex_, absl::Condition(&stopped_), due);
#ifndef MANTISSA_BASE_CLOCK_H_
#define MANTISSA_BASE_CLOCK_H_

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace mantissa {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall clock; may jump. For times that people read.
  virtual absl::Time Now() = 0;

  // Time since some start; never goes back. For measuring how long something takes.
  virtual absl::Duration Monotonic() = 0;

  virtual void SleepFor(absl::Duration duration) = 0;

  // Waits, with `mutex` let go meanwhile, until `condition` holds or Now() reaches `deadline`.
  // Returns whether `condition` holds. REQUIRES: the caller holds `mutex`.
  virtual bool AwaitUntil(absl::Mutex& mutex, const absl::Condition& condition,
                          absl::Time deadline) = 0;
};

// The clock of the machine. Never destroyed.
Clock& RealClock();

}  // namespace mantissa

#endif  // MANTISSA_BASE_CLOCK_H_
