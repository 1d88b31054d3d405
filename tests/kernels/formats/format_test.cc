#include "kernels/formats/format.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash_testing.h"
#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::kernels {
namespace {

using ::testing::HasSubstr;

TEST(Format, HasTheLargestValuesAndThresholdsOfThePaper) {
  EXPECT_EQ(kHigh.max_value(), 8581545984.0);
  EXPECT_EQ(kLowForward.max_value(), 30.0);
  EXPECT_EQ(kLowForward.overflow_threshold(), 31.0);
  EXPECT_EQ(kLowForward.min_subnormal(), std::ldexp(1.0, -13));
  EXPECT_EQ(kLowForward.underflow_threshold(), std::ldexp(1.0, -14));
  EXPECT_EQ(kLowBackward.max_value(), 114688.0);
  EXPECT_EQ(kLowBackward.overflow_threshold(), 122880.0);
  EXPECT_EQ(kLowBackward.min_normal(), std::ldexp(1.0, -14));
}

TEST(Format, KeepsTheIeeeFormatsLargestValuesBelowTheirInfinity) {
  EXPECT_EQ(kFp16.max_value(), 65504.0);
  EXPECT_EQ(kFp16.overflow_threshold(), 65520.0);
  EXPECT_EQ(Fp(5, 10, 0).max_value(), 131008.0);
  EXPECT_EQ(kBf16.max_value(), std::ldexp(255.0, 120));
  EXPECT_EQ(kFp32.max_value(), static_cast<double>(std::numeric_limits<float>::max()));
  EXPECT_EQ(kFp32.min_subnormal(), static_cast<double>(std::numeric_limits<float>::denorm_min()));
}

TEST(Format, CountsStoredBytesOfAnElement) {
  EXPECT_EQ(kLowForward.bytes(), 1);
  EXPECT_EQ(kLowBackward.bytes(), 1);
  EXPECT_EQ(kHigh.bytes(), 2);
  EXPECT_EQ(kBf16.bytes(), 2);
  EXPECT_EQ(kFp32.bytes(), 4);
  EXPECT_EQ(Fp(6, 10, 0).bytes(), 3);
}

TEST(Format, ReadsBackTheNameThatItWrites) {
  for (const Format& format :
       {kFp32, kBf16, kFp16, kHigh, kLowForward, kLowBackward, Fp(5, 10, 0), Fp(2, 1, -32)}) {
    const auto parsed = ParseFormat(format.name());
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, format);
  }
  EXPECT_EQ(kHigh.name(), "fp(6,9,0)");
  EXPECT_EQ(kFp32.name(), "fp32");
  EXPECT_EQ(*ParseFormat("fp(8,7,0)"), kBf16);
  EXPECT_EQ(*ParseFormat("fp(4, 3, 4)"), kLowForward);
}

TEST(Format, TellsHalfPrecisionFromItsTwinWithoutInfinity) {
  EXPECT_NE(kFp16, Fp(5, 10, 0));
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {kFp32, kBf16, kFp16, Fp(5, 10, 0), kHigh, kLowForward, Fp(4, 3, 5), kLowBackward}));
}

TEST(Format, RefusesTextAndRangesThatItCannotHold) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "allowed fp32"},
      {"fp(4,3)", "allowed fp32"},
      {"fp(4,3,4", "allowed fp32"},
      {"fp(4,x,4)", "allowed fp32"},
      {"fp(1,3,0)", "allowed 2 to 8"},
      {"fp(9,3,0)", "allowed 2 to 8"},
      {"fp(4,0,0)", "allowed 1 to 22"},
      {"fp(7,23,0)", "allowed 1 to 22"},
      {"fp(8,24,0)", "allowed 1 to 23"},
      {"fp(4,3,33)", "allowed -32 to 32"},
      {"fp(8,7,1)", "bias shift 1"},
  };
  for (const auto& [text, part] : cases) {
    const auto parsed = ParseFormat(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(part)) << text;
  }
}

}  // namespace
}  // namespace mantissa::kernels
