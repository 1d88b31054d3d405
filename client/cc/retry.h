// client/cc/retry.h
//
// Trying again: how long to wait between attempts, and when to stop.
//
//   Backoff backoff(options);
//   while (...) if (!Pause(clock, stop, backoff.Next())) return absl::CancelledError("stopped");
//
//   absl::Status status = Resume(options, clock, stop, [&](bool* progressed) { ... });

#ifndef MANTISSA_CLIENT_CC_RETRY_H_
#define MANTISSA_CLIENT_CC_RETRY_H_

#include <functional>
#include <stop_token>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/random.h"

namespace mantissa::client {

struct RetryOptions {
  // Wait before the second attempt; doubles with each.
  absl::Duration first_wait = absl::Milliseconds(100);
  absl::Duration longest_wait = absl::Seconds(5);
  // Attempts of a single call that is safe to repeat, the first counted. 1 or more.
  int call_attempts = 4;
  // How long a stream that broke off is taken up again without any progress.
  absl::Duration patience = absl::Minutes(10);
};

// Growing waits, each between half and all of the nominal one, so that clients that lost the same
// server do not come back at the same moment. Not thread-safe.
class Backoff {
 public:
  // Clients with different `seed` wait differently.
  Backoff(const RetryOptions& options, uint64_t seed);
  absl::Duration Next();
  // The next wait is the first one again.
  void Reset();

 private:
  const RetryOptions options_;
  RandomStream random_;
  absl::Duration nominal_;
};

// Waits; false at once when `stop` is requested.
bool Pause(Clock& clock, const std::stop_token& stop, absl::Duration duration);

// Whether a stream that ended with `status` can be taken up again: the connection was lost or the
// server went away.
bool IsBroken(const absl::Status& status);

// Runs `attempt` until it returns OK, or an error that is no break, or `options.patience` has
// passed since one last set *progressed. `on_break` is told of each break; may be null. Cancelled
// when `stop` is requested.
absl::Status Resume(const RetryOptions& options, Clock& clock, const std::stop_token& stop,
                    const std::function<void(const absl::Status&)>& on_break,
                    absl::FunctionRef<absl::Status(bool* progressed)> attempt);

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_RETRY_H_
