#include "base/log.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa {
namespace {

using ::testing::MatchesRegex;

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { SetLogLevel(LogLevel::kInfo); }
};

TEST_F(LogTest, LineHasTimeLevelAndMessage) {
  testing::internal::CaptureStderr();
  LogInfo("job ", 7, " starts");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              MatchesRegex("....-..-..T..:..:......Z INFO job 7 starts\n"));
}

TEST_F(LogTest, LinesBelowTheLevelAreDropped) {
  testing::internal::CaptureStderr();
  LogDebug("no");
  SetLogLevel(LogLevel::kError);
  LogWarning("no");
  LogError("yes");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), MatchesRegex("[^\n]* ERROR yes\n"));
}

TEST_F(LogTest, ForgedLinesAndTerminalCodesComeOutEscaped) {
  EXPECT_EQ(EscapeControlCharacters("a\nb\t\x1b[31m\x7f\\n \xc3\xa4"),
            "a\\nb\\t\\x1b[31m\\x7f\\\\n \xc3\xa4");
  EXPECT_EQ(EscapeControlCharacters(absl::string_view("\0", 1)), "\\x00");
}

}  // namespace
}  // namespace mantissa
