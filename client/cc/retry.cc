#include "client/cc/retry.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "client/cc/errors.h"

namespace mantissa::client {

Backoff::Backoff(const RetryOptions& options, uint64_t seed)
    : options_(options), random_(seed, /*stream=*/0), nominal_(options.first_wait) {}

absl::Duration Backoff::Next() {
  const absl::Duration wait = nominal_ * (0.5 + 0.5 * random_.Uniform());
  nominal_ = std::min(nominal_ * 2, options_.longest_wait);
  return wait;
}

void Backoff::Reset() { nominal_ = options_.first_wait; }

bool Pause(Clock& clock, const std::stop_token& stop, absl::Duration duration) {
  absl::Mutex mutex;
  bool stopped = false;
  const std::stop_callback wake(stop, [&] {
    absl::MutexLock lock(&mutex);
    stopped = true;
  });
  absl::MutexLock lock(&mutex);
  clock.AwaitUntil(mutex, absl::Condition(&stopped), clock.Now() + duration);
  return !stopped;
}

bool IsBroken(const absl::Status& status) {
  if (!IsFromCall(status)) return false;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:  // by the server, as it shuts down
      return true;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:  // how gRPC reports some lost connections
      return absl::StrContains(status.message(), "RST_STREAM") ||
             absl::StrContains(status.message(), "Stream removed");
    default:
      return false;
  }
}

absl::Status Resume(const RetryOptions& options, Clock& clock, const std::stop_token& stop,
                    const std::function<void(const absl::Status&)>& on_break,
                    absl::FunctionRef<absl::Status(bool* progressed)> attempt) {
  Backoff backoff(options, static_cast<uint64_t>(absl::ToUnixNanos(clock.Now())));
  absl::Duration last_progress = clock.Monotonic();
  while (true) {
    bool progressed = false;
    absl::Status status = attempt(&progressed);
    if (stop.stop_requested()) return absl::CancelledError("stopped");
    if (status.ok() || !IsBroken(status)) return status;
    if (progressed) {
      last_progress = clock.Monotonic();
      backoff.Reset();
    }
    if (clock.Monotonic() - last_progress >= options.patience) return status;
    if (on_break) on_break(status);
    if (!Pause(clock, stop, backoff.Next())) return absl::CancelledError("stopped");
  }
}

}  // namespace mantissa::client
