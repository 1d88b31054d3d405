#include "server/data/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"

namespace mantissa::data {
namespace {

// What the threads share.
struct State {
  std::atomic<int64_t> next = 0;
  std::atomic<int64_t> end = 0;  // the smallest index that failed, or the count
  absl::Mutex mutex;
  absl::Status error ABSL_GUARDED_BY(mutex);
  std::exception_ptr thrown ABSL_GUARDED_BY(mutex);
};

void Work(const std::function<absl::Status(int64_t)>& body, State& state) {
  try {
    for (int64_t i; (i = state.next++) < state.end;) {
      absl::Status status = body(i);
      if (status.ok()) continue;
      absl::MutexLock lock(&state.mutex);
      if (i >= state.end) continue;
      state.end = i;
      state.error = std::move(status);
    }
  } catch (...) {  // memory has run out: to be thrown again by the caller's thread
    absl::MutexLock lock(&state.mutex);
    state.thrown = std::current_exception();
    state.end = 0;
  }
}

}  // namespace

absl::Status ParallelFor(int64_t count, int threads,
                         const std::function<absl::Status(int64_t)>& body) {
  State state;
  state.end = count;
  std::vector<std::thread> others;
  for (int64_t t = 1; t < std::min<int64_t>(threads, count); ++t) {
    others.emplace_back([&] { Work(body, state); });
  }
  Work(body, state);
  for (std::thread& other : others) other.join();
  absl::MutexLock lock(&state.mutex);
  if (state.thrown) std::rethrow_exception(state.thrown);
  return state.error;
}

}  // namespace mantissa::data
