#include "server/data/npz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/data/inflate.h"
#include "tests/server/data/testdata.h"

namespace mantissa::data {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST(Npz, StoredAndDeflatedFilesHoldTheSameArrays) {
  auto stored = ReadNpz(TestdataPath("corpus/npz/stored.npz"), {});
  auto deflated = ReadNpz(TestdataPath("corpus/npz/deflated.npz"), {});
  ASSERT_TRUE(stored.ok()) << stored.status();
  ASSERT_TRUE(deflated.ok()) << deflated.status();
  ASSERT_EQ(stored->size(), 2u);
  EXPECT_EQ(stored->at("x").bytes, deflated->at("x").bytes);
  EXPECT_EQ(stored->at("y").bytes, deflated->at("y").bytes);
}

TEST(Npz, HostileArchivesAreRefusedWithTheirReason) {
  constexpr HostileFile kFiles[] = {
      {"truncated.npz", "truncated or damaged"},
      {"truncated_middle.npz", "truncated or damaged"},
      {"no_bytes.npz", "truncated or damaged"},
      {"claims_more.npz", "claims 1073741824 bytes, more than"},
      {"bad_crc.npz", "checksum is wrong"},
      {"encrypted.npz", "\"x.npy\" is encrypted"},
      {"overlapping.npz", "described in two ways"},
      {"link.npz", "\"x.npy\" is a link"},
      {"escapes.npz", "\"../x.npy\" has a name that leaves the archive"},
      {"absolute.npz", "\"/x.npy\" has a name that leaves the archive"},
      {"twice.npz", "\"x.npy\" occurs twice"},
      {"bzip2.npz", "compressed with method 12"},
  };
  for (const HostileFile& file : kFiles) {
    auto arrays = ParseNpz(file.file, Testdata(absl::StrCat("corpus/npz/", file.file)), {});
    EXPECT_EQ(arrays.status().code(), absl::StatusCode::kInvalidArgument) << file.file;
    EXPECT_THAT(arrays.status().message(), HasSubstr(file.error));
    EXPECT_THAT(arrays.status().message(), HasSubstr(file.file));
  }
}

// A directory whose two entries, of one name's length and of the same bytes, share their data.
TEST(Npz, EntriesThatShareTheirBytesAreRefused) {
  std::string bytes = Testdata("corpus/npz/overlapping.npz");
  // Gives the second entry the first one's name in another letter case of the local header's.
  size_t second = bytes.rfind("PK\x01\x02");
  bytes[second + 46] = 'a';
  auto arrays = ParseNpz("a.npz", bytes, {});
  EXPECT_THAT(arrays.status().message(), AnyOf(HasSubstr("twice"), HasSubstr("overlap")));
}

TEST(Npz, BombsStopAtTheLimitBeforeTheyUnfold) {
  auto arrays =
      ParseNpz("bomb.npz", Testdata("corpus/npz/bomb.npz"), {.max_bytes = int64_t{1} << 20});
  EXPECT_EQ(arrays.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(arrays.status().message(), HasSubstr("unpacks to 4000128 bytes; 1048576 are left"));
}

TEST(Npz, LimitCountsAllArraysTogether) {
  std::string bytes = Testdata("corpus/npz/stored.npz");  // two arrays of 160 and 228 bytes
  EXPECT_TRUE(ParseNpz("a.npz", bytes, {.max_bytes = 400}).ok());
  auto arrays = ParseNpz("a.npz", bytes, {.max_bytes = 300});
  EXPECT_EQ(arrays.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(Npz, MissingFileIsNotFoundByItsPath) {
  auto arrays = ReadNpz("/nowhere/digits.npz", {});
  EXPECT_EQ(arrays.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(arrays.status().message(), HasSubstr("/nowhere/digits.npz"));
}

TEST(Npz, EveryTruncationOfAFileIsRefused) {
  std::string bytes = Testdata("corpus/npz/deflated.npz");
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseNpz("cut.npz", bytes.substr(0, size), {}).ok()) << size;
  }
}

TEST(Gunzip, MembersAreJoinedAndDamageIsNamed) {
  const std::string content = std::string(1000, '\0') + "end";
  auto read = [](absl::string_view file, int64_t limit) {
    return Gunzip(file, Testdata(absl::StrCat("corpus/gzip/", file)), limit);
  };
  ASSERT_TRUE(read("good.gz", 2000).ok());
  EXPECT_EQ(*read("good.gz", 2000), content);
  EXPECT_EQ(*read("two_members.gz", 4000), content + content);
  EXPECT_THAT(read("truncated.gz", 2000).status().message(), HasSubstr("ends too early"));
  EXPECT_THAT(read("header_only.gz", 2000).status().message(), HasSubstr("ends too early"));
  EXPECT_THAT(read("bad_checksum.gz", 2000).status().message(), HasSubstr("incorrect data check"));
  EXPECT_FALSE(read("rubbish_after.gz", 2000).ok());
  EXPECT_EQ(read("bomb.gz", 1 << 20).status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace mantissa::data
