#include "server/jobs/names.h"

#include <string>

#include "gtest/gtest.h"

namespace mantissa::jobs {
namespace {

TEST(Names, NamesThatCouldLeaveTheirFolderAreRefused) {
  for (const std::string& name :
       {std::string(""), std::string(".."), std::string(".hidden"), std::string("a/b"),
        std::string("A"), std::string(65, 'a'), std::string("a\0b", 3), std::string("-flag")}) {
    EXPECT_FALSE(CheckName("name", name).ok()) << name;
  }
  EXPECT_TRUE(CheckName("name", "digits-8x8_v1.0").ok());
  EXPECT_TRUE(CheckName("name", std::string(64, 'a')).ok());
}

TEST(Names, FileNamesStayInsideTheDataSet) {
  for (const char* name :
       {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "a/./b", "a\nb", "\xff"}) {
    EXPECT_FALSE(CheckFileName("name", name).ok()) << name;
  }
  EXPECT_TRUE(CheckFileName("name", "train/cat 1/\xc3\xa9.png").ok());
  EXPECT_FALSE(CheckFileName("name", std::string(1025, 'a')).ok());
}

TEST(Names, HashesAreSixtyFourLowerCaseDigits) {
  EXPECT_TRUE(CheckSha256("sha256", std::string(64, 'a')).ok());
  EXPECT_FALSE(CheckSha256("sha256", std::string(64, 'A')).ok());
  EXPECT_FALSE(CheckSha256("sha256", std::string(63, 'a')).ok());
  EXPECT_FALSE(CheckSha256("sha256", std::string(64, 'g')).ok());
}

TEST(Names, TextsAreWellFormedUtf8WithoutControls) {
  EXPECT_TRUE(CheckText("name", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 128).ok());
  for (const char* text : {"\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "a\x7f"}) {
    EXPECT_FALSE(CheckText("name", text, 128).ok());
  }
  EXPECT_FALSE(CheckText("name", "long", 3).ok());
}

TEST(Names, ErrorsShowWhatWasGivenWithoutItsControls) {
  const absl::Status status = CheckName("name", "a\x1b[31m");
  EXPECT_EQ(status.message().find('\x1b'), std::string::npos);
  EXPECT_NE(status.message().find("name is"), std::string::npos) << status;
}

}  // namespace
}  // namespace mantissa::jobs
