#include "server/engine/worker_termination.h"

#include <pthread.h>

#include <csignal>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace mantissa::engine {
namespace {

// How often the thread looks whether it is to end.
constexpr timespec kLook = {.tv_sec = 0, .tv_nsec = 100'000'000};

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

void BlockTermination() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Termination::Termination(absl::Duration grace, std::function<void()> overdue)
    : thread_([this, grace, overdue = std::move(overdue)] { Watch(grace, overdue); }) {}

Termination::~Termination() {
  ending_ = true;
  thread_.join();
}

void Termination::Watch(absl::Duration grace, const std::function<void()>& overdue) {
  const sigset_t signals = Signals();
  absl::Duration deadline = absl::InfiniteDuration();
  while (!ending_) {
    if (sigtimedwait(&signals, nullptr, &kLook) > 0 && !requested_) {
      LogInfo("asked to end");
      requested_ = true;
      deadline = RealClock().Monotonic() + grace;
    }
    if (RealClock().Monotonic() > deadline) {
      overdue();
      deadline = absl::InfiniteDuration();
    }
  }
}

}  // namespace mantissa::engine
