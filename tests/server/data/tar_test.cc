#include "server/data/tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/server/data/testdata.h"

namespace mantissa::data {
namespace {

using ::testing::HasSubstr;

TEST(Tar, MembersKeepTheirNamesAndBytes) {
  std::string bytes = Testdata("corpus/tar/ustar.tar");
  auto members = ReadTar({"ustar.tar", bytes});
  ASSERT_TRUE(members.ok()) << members.status();
  ASSERT_EQ(members->size(), 2u);
  EXPECT_EQ((*members)[0].name, "cat/a.png");
  EXPECT_EQ((*members)[0].bytes, std::string(700, 'A'));
  EXPECT_EQ((*members)[1].name, "dog/b.png");
  EXPECT_EQ((*members)[1].bytes, "BBB");
}

TEST(Tar, LongNamesOfAllThreeDialectsAreRead) {
  for (const char* file : {"gnu_long.tar", "pax_long.tar", "ustar_prefix.tar"}) {
    std::string bytes = Testdata(absl::StrCat("corpus/tar/", file));
    auto members = ReadTar({file, bytes});
    ASSERT_TRUE(members.ok()) << members.status();
    ASSERT_EQ(members->size(), 1u);
    EXPECT_GT((*members)[0].name.size(), 180u);
    EXPECT_THAT((*members)[0].name, testing::StartsWith("folderfolder"));
    EXPECT_EQ((*members)[0].bytes, std::string(700, 'A'));
  }
}

TEST(Tar, FoldersArePassedOverAndDotsTakenOff) {
  std::string bytes = Testdata("corpus/tar/folders.tar");
  auto members = ReadTar({"folders.tar", bytes});
  ASSERT_TRUE(members.ok()) << members.status();
  ASSERT_EQ(members->size(), 1u);
  EXPECT_EQ((*members)[0].name, "cat/a.png");
}

TEST(Tar, HostileArchivesAreRefusedWithTheirReason) {
  constexpr HostileFile kFiles[] = {
      {"symlink.tar", "\"cat/a.png\" is a symbolic link"},
      {"hard_link.tar", "\"cat/c.png\" is a hard link"},
      {"device.tar", "\"null\" is a device"},
      {"block_device.tar", "\"disk\" is a device"},
      {"fifo.tar", "\"pipe\" is a fifo"},
      {"escapes.tar", "has a name that leaves the archive"},
      {"absolute.tar", "\"/cat/a.png\" has a name that leaves"},
      {"backslash.tar", "has a name that leaves the archive"},
      {"not_utf8.tar", "has a name that leaves the archive"},
      {"twice.tar", "\"cat/a.png\" occurs twice"},
      {"twice_with_dot.tar", "\"cat/a.png\" occurs twice"},
      {"truncated.tar", "truncated"},
      {"no_end.tar", "truncated"},
      {"bad_checksum.tar", "checksum is wrong"},
      {"size_too_large.tar", "truncated"},
      {"binary_size_too_large.tar", "truncated"},
      {"bad_pax.tar", "pax header can't be read"},
  };
  for (const HostileFile& file : kFiles) {
    std::string bytes = Testdata(absl::StrCat("corpus/tar/", file.file));
    auto members = ReadTar({file.file, bytes});
    EXPECT_EQ(members.status().code(), absl::StatusCode::kInvalidArgument) << file.file;
    EXPECT_THAT(members.status().message(), HasSubstr(file.error));
    EXPECT_THAT(members.status().message(), HasSubstr(file.file));
  }
}

}  // namespace
}  // namespace mantissa::data
