// The CPU bodies of packing on each instruction set that this machine has, against the scalar
// arithmetic.
#include "hwy/targets.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/formats/format.h"
#include "kernels/packed/pack_core.h"
#include "kernels/packed/pack_cpu.h"
#include "kernels/packed/params.h"
#include "kernels/packed/piece.h"
#include "kernels/packed/round.h"
#include "kernels/packed/round_core.h"
#include "tests/kernels/packed/inputs.h"
#include "tests/kernels/packed/oracle.h"

namespace mantissa::kernels {
namespace {

constexpr Format kFormats[] = {kLowForward, kHigh, kFp16, kBf16, kFp32};

template <Rounding kMode>
std::vector<uint32_t> PackScalar(const PackParams& params, const std::vector<float>& in,
                                 RoundCounts* counts) {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < in.size(); ++i) {
    const uint64_t index = params.round.offset + i;
    const uint32_t random = RandomBlock(params.round.seed, index / 4).word[index % 4];
    out.push_back(PackBits<kMode>(BitsOf(in[i]), random, params.round, params.code, counts));
  }
  return out;
}

// Codes of 1, 2 or 4 bytes, little-endian.
std::vector<uint32_t> WordsOf(const std::vector<uint8_t>& bytes, size_t width) {
  std::vector<uint32_t> words(bytes.size() / width);
  for (size_t i = 0; i < bytes.size(); ++i) {
    words[i / width] |= uint32_t{bytes[i]} << (8 * (i % width));
  }
  return words;
}

class TargetsTest : public testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { hwy::SetSupportedTargetsForTest(GetParam()); }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }

  template <Rounding kMode>
  void ExpectScalar(const PackParams& params) {
    // Short lengths see the last of the special ones: NaNs, infinities, thresholds.
    std::vector<float> all = SpecialInputs(Oracle(kLowForward));
    std::reverse(all.begin(), all.end());
    const std::vector<float> random = RandomInputs(kLowForward, 2003, /*seed=*/1);
    all.insert(all.end(), random.begin(), random.end());
    std::vector<size_t> lengths = {1023, 1024, 1025, all.size()};
    for (size_t n = 0; n <= 67; ++n) lengths.push_back(n);
    const size_t width = static_cast<size_t>(params.code.bytes);
    for (const size_t n : lengths) {
      const std::vector<float> in(all.begin(), all.begin() + n);
      const Piece piece = Piece::Whole(static_cast<int64_t>(n));
      RoundCounts want_counts, counts;
      const std::vector<uint32_t> want = PackScalar<kMode>(params, in, &want_counts);
      std::vector<uint8_t> codes(n * width);
      PackOnCpu(kMode, params, piece, in.data(), codes.data(), 0, piece.length, &counts);
      ASSERT_EQ(WordsOf(codes, width), want) << "length " << n;
      EXPECT_EQ(counts.overflow, want_counts.overflow);
      EXPECT_EQ(counts.underflow, want_counts.underflow);
      EXPECT_EQ(counts.nonfinite, want_counts.nonfinite);

      const UnpackParams back = {.code = params.code,
                                 .element_round = RoundParamsOf({}),
                                 .element = CodeParamsOf(kFp32),
                                 .add = false,
                                 .exact = true};
      std::vector<uint32_t> wide(n), want_wide;
      UnpackOnCpu(back, piece, codes.data(), wide.data(), 0, piece.length);
      for (const uint32_t code : want) want_wide.push_back(UnpackBits(code, params.code));
      ASSERT_EQ(wide, want_wide) << "length " << n;
    }
  }

  // As packed codes, and as rounded float32 values.
  template <Rounding kMode>
  void ExpectScalar() {
    for (const Format& format : kFormats) {
      if (RoundingOf({.format = format, .rounding = kMode}) != kMode) continue;
      for (const Overflow overflow : {Overflow::kSaturate, Overflow::kInfinity}) {
        PackParams params = {.round = RoundParamsOf({.format = format,
                                                     .rounding = kMode,
                                                     .overflow = overflow,
                                                     .seed = 11,
                                                     .offset = 5}),
                             .code = CodeParamsOf(format),
                             .element = CodeParamsOf(kFp32)};
        ExpectScalar<kMode>(params);
        params.code = CodeParamsOf(kFp32);
        ExpectScalar<kMode>(params);
      }
    }
  }
};

TEST_P(TargetsTest, EveryModeGivesTheCodesValuesAndCountsOfTheScalarCore) {
  ExpectScalar<Rounding::kNearestEven>();
  ExpectScalar<Rounding::kNearestAway>();
  ExpectScalar<Rounding::kStochastic>();
  ExpectScalar<Rounding::kReference>();
}

// The compiler's baseline is always among them.
INSTANTIATE_TEST_SUITE_P(Machine, TargetsTest,
                         testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& info) { return std::string(hwy::TargetName(info.param)); });

}  // namespace
}  // namespace mantissa::kernels
