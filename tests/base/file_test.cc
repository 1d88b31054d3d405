#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  std::string Path(absl::string_view name) { return JoinPath(folder_.path(), name); }

  TempFolder folder_;
  FileSystem& files_ = RealFileSystem();
};

TEST_F(FileTest, WriteAtomicallyReplacesAndLeavesNoScratch) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "old").ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), std::string("ne\0w", 4)).ok());
  EXPECT_EQ(*files_.Read(Path("f")), std::string("ne\0w", 4));
  EXPECT_THAT(*files_.List(folder_.path()), ElementsAre("f"));
}

TEST_F(FileTest, AppendContinuesAnExistingFileAndTruncateEmptiesIt) {
  (*files_.OpenForAppend(Path("log")))->Append("one").IgnoreError();
  auto again = *files_.OpenForAppend(Path("log"));
  EXPECT_EQ(again->size(), 3);
  ASSERT_TRUE(again->Append("two").ok());
  ASSERT_TRUE(again->Sync().ok());
  EXPECT_EQ(again->size(), 6);
  EXPECT_EQ(*files_.Read(Path("log")), "onetwo");
  EXPECT_EQ((*files_.OpenForAppend(Path("log"), /*truncate=*/true))->size(), 0);
}

TEST_F(FileTest, ReadAtReadsAPartAndRefusesToGoPastTheEnd) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "0123456789").ok());
  auto file = *files_.OpenForRead(Path("f"));
  EXPECT_EQ(file->size(), 10);
  std::string part(3, ' ');
  ASSERT_TRUE(file->ReadAt(7, absl::MakeSpan(part)).ok());
  EXPECT_EQ(part, "789");
  EXPECT_EQ(file->ReadAt(8, absl::MakeSpan(part)).code(), absl::StatusCode::kOutOfRange);
}

TEST_F(FileTest, ReadRefusesFilesAboveTheLimit) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "12345").ok());
  EXPECT_EQ(*files_.Read(Path("f"), 5), "12345");
  const absl::Status status = files_.Read(Path("f"), 4).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has 5 bytes; allowed at most 4"));
}

TEST_F(FileTest, ErrorsNameOperationPathAndCause) {
  const absl::Status missing = files_.Read(Path("none")).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(missing.message(), "cannot open " + Path("none") + ": No such file or directory");
  EXPECT_EQ(files_.Read(folder_.path()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(files_.Remove(Path("none")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_.List(Path("none")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_.Size(Path("none")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_.Rename(Path("none"), Path("x")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_.WriteAtomically(Path("no/f"), "x").code(), absl::StatusCode::kNotFound);
}

// /dev/full is a disk with no space left.
TEST_F(FileTest, FullDiskIsResourceExhausted) {
  auto full = *files_.OpenForAppend("/dev/full");
  EXPECT_EQ(full->Append("x").code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(FileTest, FoldersAreMadeListedSortedAndRemovedWhole) {
  ASSERT_TRUE(files_.MakeFolders(Path("a/b")).ok());
  ASSERT_TRUE(files_.MakeFolders(Path("a/b")).ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("a/z"), "").ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("a/c"), "four").ok());
  EXPECT_THAT(*files_.List(Path("a")), ElementsAre("b", "c", "z"));
  EXPECT_TRUE(files_.IsFolder(Path("a/b")));
  EXPECT_FALSE(files_.IsFolder(Path("a/c")));
  EXPECT_EQ(*files_.Size(Path("a/c")), 4);
  ASSERT_TRUE(files_.RemoveTree(Path("a")).ok());
  EXPECT_FALSE(files_.Exists(Path("a")));
  EXPECT_TRUE(files_.RemoveTree(Path("a")).ok());
}

TEST_F(FileTest, RemoveTreeDoesNotFollowLinks) {
  ASSERT_TRUE(files_.MakeFolders(Path("kept")).ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("kept/f"), "x").ok());
  ASSERT_TRUE(files_.MakeFolders(Path("gone")).ok());
  ASSERT_EQ(symlink(Path("kept").c_str(), Path("gone/link").c_str()), 0);
  ASSERT_TRUE(files_.RemoveTree(Path("gone")).ok());
  EXPECT_TRUE(files_.Exists(Path("kept/f")));
}

TEST_F(FileTest, FreeBytesIsPositiveOnATestMachine) {
  EXPECT_GT(*files_.FreeBytes(folder_.path()), 0);
}

TEST_F(FileTest, DescriptorForAnotherProcessAppendsAndIsPrivate) {
  for (const char* text : {"one", "two"}) {
    const int fd = *OpenDescriptor(Path("log"), /*append=*/true);
    ASSERT_EQ(write(fd, text, 3), 3);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    struct stat info;
    ASSERT_EQ(fstat(fd, &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    close(fd);
  }
  EXPECT_EQ(*files_.Read(Path("log")), "onetwo");
  EXPECT_EQ(OpenDescriptor(Path("none"), /*append=*/false).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(Path, PartsAreJoinedAndSplit) {
  EXPECT_EQ(JoinPath("a", "b", "c.txt"), "a/b/c.txt");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(ParentPath("a/b/c"), "a/b");
  EXPECT_EQ(ParentPath("c"), ".");
  EXPECT_EQ(ParentPath("/c"), "/");
  EXPECT_EQ(BaseName("a/b/c.txt"), "c.txt");
  EXPECT_EQ(BaseName("c"), "c");
}

}  // namespace
}  // namespace mantissa
