// server/jobs/state_database.h
//
// The one database of a server, migrated, with the lock that its stores share.
//
//   ASSIGN_OR_RETURN(auto state, StateDatabase::Open(JoinPath(data_dir, "state.db")));
//   JobStore jobs(*state);
//   DatasetStore datasets(*state);
#ifndef MANTISSA_SERVER_JOBS_STATE_DATABASE_H_
#define MANTISSA_SERVER_JOBS_STATE_DATABASE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/jobs/database.h"

namespace mantissa::jobs {

// Bytes of messages that one answer reads from the database at most, so that it fits into a message
// of the API. The last one may go over.
inline constexpr size_t kMaxPageBytes = 1 << 20;

class StateDatabase {
 public:
  static absl::StatusOr<std::unique_ptr<StateDatabase>> Open(const std::string& path);

  absl::Mutex& mutex() ABSL_LOCK_RETURNED(mutex_) { return mutex_; }
  Database& db() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return *db_; }

 private:
  explicit StateDatabase(std::unique_ptr<Database> db) : db_(std::move(db)) {}

  absl::Mutex mutex_;
  const std::unique_ptr<Database> db_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_STATE_DATABASE_H_
