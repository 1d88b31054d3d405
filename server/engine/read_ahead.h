// Threads that read batches before they are asked for, in order, as many as a bounded queue holds.
//
//   ReadAhead ahead([&](int epoch, int64_t index) { return reader.Read(epoch, index); },
//                   {.threads = 4, .batches = 10});
//   ASSIGN_OR_RETURN(HostBatch batch, ahead.Take(0, 0));  // (0, 1), (0, 2)... are being read
//
// One thread takes. What is read depends on epoch and index alone, so that the number of threads
// changes nothing but the time.
#ifndef MANTISSA_SERVER_ENGINE_READ_AHEAD_H_
#define MANTISSA_SERVER_ENGINE_READ_AHEAD_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/engine/batch_reader.h"

namespace mantissa::engine {

class ReadAhead {
 public:
  using Read = std::function<absl::StatusOr<HostBatch>(int epoch, int64_t index)>;
  struct Options {
    int threads = 1;
    int64_t batches = 1;  // an epoch
    // After an epoch's last batch comes the next one's first; else the same epoch's.
    bool epochs_differ = true;
  };

  // `read` is called by several threads at once.
  ReadAhead(Read read, const Options& options) : read_(std::move(read)), options_(options) {}
  // Waits for what is being read.
  ~ReadAhead();

  // What `read` returns, or throws. Out of order it starts anew from there. Threads start with the
  // first call.
  absl::StatusOr<HostBatch> Take(int epoch, int64_t index);

 private:
  struct Result {
    absl::StatusOr<HostBatch> batch;
    std::exception_ptr thrown;
  };

  // Batches in the queue or being read.
  int64_t depth() const { return options_.threads + 1; }
  void Work();
  bool CanRead() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || next_ < taken_ + depth();
  }
  bool IsThere() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return done_.contains(taken_); }

  const Read read_;
  const Options options_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int epoch_ ABSL_GUARDED_BY(mutex_) = 0;  // that batch 0 is of
  // Batches are numbered through all epochs from `epoch_` on.
  int64_t next_ ABSL_GUARDED_BY(mutex_) = 0;   // to be read
  int64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;  // below it all have been taken
  int64_t round_ ABSL_GUARDED_BY(mutex_) = 0;  // one more with each new start
  std::map<int64_t, Result> done_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_READ_AHEAD_H_
