// A folder for files that nobody else should read, even below one that all share, such as /tmp.
//
//   ASSIGN_OR_RETURN(const ScratchFolder scratch, ScratchFolder::Make("/tmp"));
//   RETURN_IF_ERROR(files.WriteAtomically(JoinPath(scratch.path(), "part"), bytes));

#ifndef MANTISSA_BASE_SCRATCH_FOLDER_H_
#define MANTISSA_BASE_SCRATCH_FOLDER_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mantissa {

// Removed with all in it by its destructor.
class ScratchFolder {
 public:
  // A new folder below `parent` with mode 0700. NOT_FOUND, PERMISSION_DENIED and the like, naming
  // `parent`, if it can't be made there.
  static absl::StatusOr<ScratchFolder> Make(absl::string_view parent);

  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();

  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}

  // Empty once moved from.
  std::string path_;
};

}  // namespace mantissa

#endif  // MANTISSA_BASE_SCRATCH_FOLDER_H_
