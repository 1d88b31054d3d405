// server/main/data_lock.h
//
// One server a data folder: holds a lock on DATA_DIR/lock as long as it lives. The kernel drops it
// with the process, however that ends.
//
//   ASSIGN_OR_RETURN(auto lock, DataLock::Take(data_dir));
#ifndef MANTISSA_SERVER_MAIN_DATA_LOCK_H_
#define MANTISSA_SERVER_MAIN_DATA_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace mantissa::server {

class DataLock {
 public:
  // FAILED_PRECONDITION if another server has it.
  static absl::StatusOr<std::unique_ptr<DataLock>> Take(const std::string& data_dir);
  ~DataLock();
  DataLock(const DataLock&) = delete;

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace mantissa::server

#endif  // MANTISSA_SERVER_MAIN_DATA_LOCK_H_
