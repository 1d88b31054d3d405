// server/rpc/executor.h
//
// A few threads that run handlers, so that gRPC's own never wait for a disk.
//
//   Executor executor(/*threads=*/8, /*max_waiting=*/1000);
//   if (!executor.TryPost([&] { Handle(); })) return Busy();
//   executor.Post([&] { GoOn(); });  // a step of a stream that was admitted: always taken
//
// Thread-safe. The destructor runs what is waiting, then ends the threads.
#ifndef MANTISSA_SERVER_RPC_EXECUTOR_H_
#define MANTISSA_SERVER_RPC_EXECUTOR_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace mantissa::rpc {

class Executor {
 public:
  Executor(int threads, size_t max_waiting);
  ~Executor();

  // False, and nothing is done, if `max_waiting` tasks wait already.
  bool TryPost(std::function<void()> task);
  void Post(std::function<void()> task);

 private:
  void Run();

  const size_t max_waiting_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_EXECUTOR_H_
