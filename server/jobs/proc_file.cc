#include "server/jobs/proc_file.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"

namespace mantissa::jobs {

absl::StatusOr<std::string> ReadProcFile(absl::string_view path) {
  constexpr size_t kMaxBytes = 1 << 16;
  ASSIGN_OR_RETURN(const int fd, OpenDescriptor(path, /*append=*/false));
  std::string text(kMaxBytes, '\0');
  size_t size = 0;
  ssize_t got = 1;
  while (got > 0 && size < kMaxBytes) {
    got = read(fd, text.data() + size, kMaxBytes - size);
    if (got > 0) size += got;
    if (got < 0 && errno == EINTR) got = 1;
  }
  close(fd);
  // A process that ends between open and read gives ESRCH.
  if (got < 0) return absl::NotFoundError(absl::StrCat(path, " can't be read."));
  text.resize(size);
  return text;
}

}  // namespace mantissa::jobs
