#include "server/main/data_lock.h"

#include <sys/file.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/file.h"

namespace mantissa::server {

absl::StatusOr<std::unique_ptr<DataLock>> DataLock::Take(const std::string& data_dir) {
  const std::string path = JoinPath(data_dir, "lock");
  const absl::StatusOr<int> fd = OpenDescriptor(path, /*append=*/true);
  if (!fd.ok()) {
    return absl::PermissionDeniedError(
        absl::StrCat(fd.status().message(), ". Use a folder of your own."));
  }
  std::unique_ptr<DataLock> lock(new DataLock(*fd));
  if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("Another mantissad serves ", data_dir,
                                                      ". Stop it, or use another --data-dir."));
  }
  return lock;
}

DataLock::~DataLock() { close(fd_); }

}  // namespace mantissa::server
