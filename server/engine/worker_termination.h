// server/engine/worker_termination.h
//
// SIGTERM as a wish that the work hears of, with a deadline behind it.
//
//   BlockTermination();   // first of all, before any other thread
//   Termination termination(absl::Seconds(4), [] { _exit(143); });
//   while (!termination.requested()) Work();

#ifndef MANTISSA_SERVER_ENGINE_WORKER_TERMINATION_H_
#define MANTISSA_SERVER_ENGINE_WORKER_TERMINATION_H_

#include <atomic>
#include <functional>
#include <thread>

#include "absl/time/time.h"

namespace mantissa::engine {

// Keeps SIGTERM and SIGINT from ending the process: Termination takes them. For threads made
// afterwards too.
void BlockTermination();

class Termination {
 public:
  // Calls `overdue` on a thread of its own where the process still lives `grace` after the signal.
  // REQUIRES: BlockTermination() was called before any other thread was made.
  Termination(absl::Duration grace, std::function<void()> overdue);
  ~Termination();
  Termination(const Termination&) = delete;
  Termination& operator=(const Termination&) = delete;

  bool requested() const { return requested_; }

 private:
  void Watch(absl::Duration grace, const std::function<void()>& overdue);

  std::atomic<bool> requested_ = false;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_WORKER_TERMINATION_H_
