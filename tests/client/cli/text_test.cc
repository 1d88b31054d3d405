#include "client/cli/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "client/cli/table.h"

namespace mantissa::cli {
namespace {

using testing::ElementsAre;

TEST(PrintableTest, MakesControlCharactersVisible) {
  EXPECT_EQ(Printable("a\x1b[2Jb\r\n\tc\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x09c\\x7f");
  EXPECT_EQ(Printable(absl::string_view("a\0b", 3)), "a\\x00b");
}

TEST(PrintableTest, KeepsTextOfOtherScripts) {
  EXPECT_EQ(Printable("größe 模型 🙂"), "größe 模型 🙂");
}

TEST(PrintableTest, MakesInvisibleAndDirectionMarksVisible) {
  EXPECT_EQ(Printable("a\u202eb"), "a\\u{202e}b");  // writes from right to left
  EXPECT_EQ(Printable("a\u009bb"), "a\\x9bb");      // CSI in one character
  EXPECT_EQ(Printable("\ufeffa\u200b"), "\\u{feff}a\\u{200b}");
}

TEST(PrintableTest, MakesBytesThatAreNotUtf8Visible) {
  EXPECT_EQ(Printable("\xff"), "\\xff");
  EXPECT_EQ(Printable("a\xc3"), "a\\xc3");                           // cut
  EXPECT_EQ(Printable("\xc0\x9b"), "\\xc0\\x9b");                    // overlong
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
}

TEST(PrintableTest, KeepsOnlyLineFeedsAndTabsInLines) {
  EXPECT_EQ(PrintableLines("a\tb\nc\rd\x1b"), "a\tb\nc\\x0dd\\x1b");
}

TEST(FitTest, CutsAtCharactersAndMarksTheCut) {
  EXPECT_EQ(Fit("größe", 5), "größe");
  EXPECT_EQ(Fit("größer", 5), "größ…");
  EXPECT_EQ(Fit("abc", 1), "…");
  EXPECT_EQ(Fit("abc", 0), "");
}

TEST(WrapTest, BreaksLinesAtSpacesOnly) {
  EXPECT_THAT(Wrap("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("incomprehensible a b", 4), ElementsAre("incomprehensible", "a b"));
}

TEST(NumbersTest, ReadEasilyAtEachSize) {
  EXPECT_EQ(Count(0), "0");
  EXPECT_EQ(Count(-1234), "-1,234");
  EXPECT_EQ(Count(1313287604), "1,313,287,604");
  EXPECT_EQ(Bytes(1023), "1023 B");
  EXPECT_EQ(Bytes(1536), "1.5 KiB");
  EXPECT_EQ(BitsAsBytes(int64_t{8} << 30), "1.0 GiB");
  EXPECT_EQ(Percent(0.4987), "49.87%");
  EXPECT_EQ(Percent(std::numeric_limits<double>::quiet_NaN()), "-");
  EXPECT_EQ(Number(65536), "65536");
}

TEST(SpanTest, TakesUnitsThatFitItsLength) {
  EXPECT_EQ(Span(absl::Milliseconds(850)), "850 ms");
  EXPECT_EQ(Span(absl::Milliseconds(12345)), "12.3 s");
  EXPECT_EQ(Span(absl::Seconds(245)), "4m 05s");
  EXPECT_EQ(Span(absl::Seconds(3725)), "1h 02m");
  EXPECT_EQ(Span(absl::Hours(76)), "3d 04h");
  EXPECT_EQ(Span(absl::InfiniteDuration()), "-");
}

TEST(TableTest, AlignsColumnsByCharactersNotBytes) {
  Table table({{"NAME"}, {"SIZE", Table::kRight}, {"WHAT"}});
  table.AddRow({"größe", "1", "short"});
  table.AddRow({"b", "1,000", "x\x1b"});
  EXPECT_EQ(table.Render(),
            "NAME    SIZE  WHAT\n"
            "größe      1  short\n"
            "b      1,000  x\\x1b\n");
}

TEST(TableTest, LeavesFactsWithoutValueOut) {
  EXPECT_EQ(RenderFacts({{"job", "job-1"}, {"name", ""}, {"run time", "1 s\n"}}),
            "job:       job-1\nrun time:  1 s\\x0a\n");
}

}  // namespace
}  // namespace mantissa::cli
