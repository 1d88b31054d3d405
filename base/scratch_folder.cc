#include "base/scratch_folder.h"

#include <stdlib.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"

namespace mantissa {

absl::StatusOr<ScratchFolder> ScratchFolder::Make(absl::string_view parent) {
  std::string path = JoinPath(parent, "mantissa-XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make a folder in ", parent));
  }
  return ScratchFolder(std::move(path));
}

ScratchFolder::~ScratchFolder() {
  if (!path_.empty()) RealFileSystem().RemoveTree(path_).IgnoreError();
}

}  // namespace mantissa
