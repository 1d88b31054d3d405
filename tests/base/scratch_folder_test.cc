#include "base/scratch_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <utility>

#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"

namespace mantissa {
namespace {

TEST(ScratchFolder, IsForItsOwnerAloneUntilItIsGone) {
  const TempFolder parent;
  std::string path;
  {
    absl::StatusOr<ScratchFolder> made = ScratchFolder::Make(parent.path());
    MANTISSA_CHECK_OK(made);
    const ScratchFolder scratch = *std::move(made);
    path = scratch.path();
    EXPECT_EQ(ParentPath(path), parent.path());
    struct stat info;
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
    MANTISSA_CHECK_OK(RealFileSystem().WriteAtomically(JoinPath(path, "part"), "bytes"));
  }
  EXPECT_FALSE(RealFileSystem().Exists(path));
  EXPECT_TRUE(RealFileSystem().IsFolder(parent.path()));
}

TEST(ScratchFolder, AParentThatIsNotThereIsNamed) {
  const absl::Status status = ScratchFolder::Make("/no/such/folder").status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("/no/such/folder"));
}

}  // namespace
}  // namespace mantissa
