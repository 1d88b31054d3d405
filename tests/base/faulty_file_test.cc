#include "base/faulty_file.h"

#include <string>

#include "absl/status/status.h"
#include "base/file.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa {
namespace {

using ::testing::ElementsAre;

class FaultyFileTest : public ::testing::Test {
 protected:
  std::string Path(absl::string_view name) { return JoinPath(folder_.path(), name); }

  TempFolder folder_;
  FaultyFileSystem files_{RealFileSystem()};
};

TEST_F(FaultyFileTest, WriteBeyondTheLimitIsShortAndExhausted) {
  files_.LimitWrites(5);
  auto file = *files_.OpenForAppend(Path("f"), false);
  ASSERT_TRUE(file->Append("abc").ok());
  EXPECT_EQ(file->Append("defg").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(*files_.Read(Path("f")), "abcde");
  EXPECT_EQ(*files_.FreeBytes(Path("f")), 0);
  files_.LimitWrites(std::nullopt);
  EXPECT_TRUE(file->Append("f").ok());
}

TEST_F(FaultyFileTest, AtomicWriteOnAFullDiskKeepsTheOldContentAndNoScratch) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "old").ok());
  files_.LimitWrites(1);
  EXPECT_EQ(files_.WriteAtomically(Path("f"), "new").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(*files_.Read(Path("f")), "old");
  EXPECT_THAT(*files_.List(folder_.path()), ElementsAre("f"));
}

TEST_F(FaultyFileTest, AtomicWriteKeepsTheOldContentWhenSyncOrRenameFails) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "old").ok());
  for (const char* operation : {"OpenForAppend", "Append", "Sync", "Rename"}) {
    files_.FailNext(operation, absl::InternalError(operation));
    EXPECT_EQ(files_.WriteAtomically(Path("f"), "new"), absl::InternalError(operation));
    EXPECT_EQ(*files_.Read(Path("f")), "old");
  }
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "new").ok());
  EXPECT_EQ(*files_.Read(Path("f")), "new");
}

TEST_F(FaultyFileTest, EachOperationFailsOnceWhenTold) {
  const absl::Status error = absl::InternalError("x");
  const std::string path = Path("f");
  const auto fails_once = [&](const char* operation, auto call) {
    files_.FailNext(operation, error);
    EXPECT_EQ(call(), error) << operation;
    EXPECT_TRUE(call().ok()) << operation;
  };
  fails_once("MakeFolders", [&] { return files_.MakeFolders(Path("a")); });
  ASSERT_TRUE(files_.WriteAtomically(path, "x").ok());
  fails_once("OpenForRead", [&] { return files_.Read(path).status(); });
  fails_once("ReadAt", [&] { return files_.Read(path).status(); });
  fails_once("List", [&] { return files_.List(Path("a")).status(); });
  fails_once("Size", [&] { return files_.Size(path).status(); });
  fails_once("FreeBytes", [&] { return files_.FreeBytes(path).status(); });
  fails_once("RemoveTree", [&] { return files_.RemoveTree(Path("a")); });
  fails_once("Remove", [&] { return files_.Remove(path); });
}

}  // namespace
}  // namespace mantissa
