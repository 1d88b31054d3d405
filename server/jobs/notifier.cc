#include "server/jobs/notifier.h"

#include <utility>

namespace mantissa::jobs {

Notifier::Id Notifier::Subscribe(absl::string_view key, std::function<void()> callback) {
  absl::MutexLock lock(&mutex_);
  const Id id = next_++;
  callbacks_[std::string(key)].emplace(id, std::move(callback));
  keys_.emplace(id, key);
  return id;
}

void Notifier::Unsubscribe(Id id) {
  absl::MutexLock lock(&mutex_);
  const auto key = keys_.find(id);
  if (key == keys_.end()) return;
  const auto callbacks = callbacks_.find(key->second);
  callbacks->second.erase(id);
  if (callbacks->second.empty()) callbacks_.erase(callbacks);
  keys_.erase(key);
}

void Notifier::Notify(absl::string_view key) {
  absl::MutexLock lock(&mutex_);
  const auto it = callbacks_.find(key);
  if (it == callbacks_.end()) return;
  for (const auto& [id, callback] : it->second) callback();
}

}  // namespace mantissa::jobs
