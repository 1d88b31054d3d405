// server/jobs/notifier.h
//
// Tells those who wait that something about a job or worker is new; what it is they read from the
// store.
//
//   Notifier::Id id = notifier.Subscribe("job-1", [this] { WakeUp(); });
//   notifier.Notify("job-1");
//   notifier.Unsubscribe(id);  // the callback neither runs nor will run when this returns
//
// Thread-safe. Callbacks run on the thread that notifies, must be short and must not call back.
#ifndef MANTISSA_SERVER_JOBS_NOTIFIER_H_
#define MANTISSA_SERVER_JOBS_NOTIFIER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace mantissa::jobs {

class Notifier {
 public:
  using Id = uint64_t;

  Id Subscribe(absl::string_view key, std::function<void()> callback);
  void Unsubscribe(Id id);
  void Notify(absl::string_view key);

 private:
  absl::Mutex mutex_;
  Id next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<std::string, std::map<Id, std::function<void()>>, std::less<>> callbacks_
      ABSL_GUARDED_BY(mutex_);
  std::map<Id, std::string> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_NOTIFIER_H_
