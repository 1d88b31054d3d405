#include "base/temp_folder.h"

#include <stdlib.h>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"

namespace mantissa {

TempFolder::TempFolder() {
  const char* parent = getenv("TEST_TMPDIR");
  path_ = absl::StrCat(parent != nullptr ? parent : "/tmp", "/mantissa_XXXXXX");
  MANTISSA_CHECK(mkdtemp(path_.data()) != nullptr, "cannot make ", path_);
}

TempFolder::~TempFolder() { RealFileSystem().RemoveTree(path_).IgnoreError(); }

}  // namespace mantissa
