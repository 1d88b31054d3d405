#include "client/cli/byte_size.h"

#include <gtest/gtest.h>

#include <limits>

namespace mantissa::cli {
namespace {

TEST(ByteSizeTest, ReadsEveryUnitInEitherCase) {
  EXPECT_EQ(ParseByteSize("7"), 7);
  EXPECT_EQ(ParseByteSize("7B"), 7);
  EXPECT_EQ(ParseByteSize("2KB"), 2000);
  EXPECT_EQ(ParseByteSize("2KiB"), 2048);
  EXPECT_EQ(ParseByteSize("3MB"), 3000000);
  EXPECT_EQ(ParseByteSize("3mib"), 3145728);
  EXPECT_EQ(ParseByteSize("8GiB"), 8589934592);
  EXPECT_EQ(ParseByteSize("8gb"), 8000000000);
  EXPECT_EQ(ParseByteSize("1TiB"), 1099511627776);
  EXPECT_EQ(ParseByteSize(" 1 TB "), 1000000000000);
}

TEST(ByteSizeTest, ReadsDecimalsAndRoundsToWholeBytes) {
  EXPECT_EQ(ParseByteSize("1.5GiB"), 1610612736);
  EXPECT_EQ(ParseByteSize("0.29KB"), 290);
  EXPECT_EQ(ParseByteSize("0.3KiB"), 307);  // 307.2
  EXPECT_EQ(ParseByteSize("2.0B"), 2);
  EXPECT_EQ(ParseByteSize("0.25"), std::nullopt);  // less than a byte
}

TEST(ByteSizeTest, IsExactUpToTheLargestInteger) {
  EXPECT_EQ(ParseByteSize("9007199254740993"), 9007199254740993);  // 2^53 + 1
  EXPECT_EQ(ParseByteSize("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseByteSize("8388607TiB"), (int64_t{1} << 40) * 8388607);
}

TEST(ByteSizeTest, RefusesWhatIsTooLargeToCount) {
  EXPECT_EQ(ParseByteSize("9223372036854775808"), std::nullopt);
  EXPECT_EQ(ParseByteSize("8388608TiB"), std::nullopt);
  EXPECT_EQ(ParseByteSize("9223372036854775807.9"), std::nullopt);
  EXPECT_EQ(ParseByteSize("99999999999999999999999GiB"), std::nullopt);
}

TEST(ByteSizeTest, RefusesNegativeZeroAndNonsense) {
  for (const char* text :
       {"",      " ",     "0",       "0GiB",  "0.0001B", "-1",    "-8GiB",    "+8GiB",
        "GiB",   "8G",    "8PiB",    "8GiBs", "8 Gi B",  "1e9",   "0x10",     "1,5GB",
        "1.GiB", ".5GiB", "1.5.2GB", "nan",   "inf",     "eight", "8GiB 8GiB"}) {
    EXPECT_EQ(ParseByteSize(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace mantissa::cli
