// server/jobs/proc_file.h
//
// Reads what the kernel tells in /proc, whose files have no size.
//
//   ASSIGN_OR_RETURN(std::string stat, ReadProcFile("/proc/1/stat"));
#ifndef MANTISSA_SERVER_JOBS_PROC_FILE_H_
#define MANTISSA_SERVER_JOBS_PROC_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa::jobs {

// At most 64 KiB of it. NOT_FOUND if it is not there.
absl::StatusOr<std::string> ReadProcFile(absl::string_view path);

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_PROC_FILE_H_
