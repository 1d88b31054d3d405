// The contract of Pack() and Unpack() as to values, codes and counts, held against the oracle on
// the device that this binary is linked with.
#include "kernels/packed/pack.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "kernels/formats/format.h"
#include "kernels/packed/round.h"
#include "tests/kernels/packed/device.h"
#include "tests/kernels/packed/fixture.h"
#include "tests/kernels/packed/inputs.h"
#include "tests/kernels/packed/oracle.h"
#include "tests/kernels/packed/packing.h"

namespace mantissa::kernels {
namespace {

// With and without infinity, of full width and less, both elements' formats among them.
constexpr Format kFormats[] = {kLowForward, kLowBackward,  kHigh,        kBf16,          kFp16,
                               Fp(8, 4, 0), Fp(2, 1, -32), Fp(7, 8, 32), {3, 2, 1, true}};

class PackTest : public OnDevice<testing::Test> {};

class PackModesTest : public PackTest,
                      public testing::WithParamInterface<std::tuple<Format, Rounding, Overflow>> {
 protected:
  void ExpectOracle(const std::vector<float>& in) {
    const auto [format, rounding, overflow] = GetParam();
    const Oracle oracle(format);
    const RoundSpec spec = {.format = format, .rounding = rounding, .overflow = overflow};
    const Rounded rounded = OracleRound(oracle, spec, in);
    Packed want = {.codes = {}, .counts = rounded.counts};
    for (const float y : rounded.values) want.codes.push_back(OracleCode(oracle, format, y));
    const Packed got = PackOnDevice(spec, in);
    // A NaN's payload may change.
    ExpectSameFloats(in, UnpackOnDevice(format, got.codes), UnpackOnDevice(format, want.codes));
    for (size_t i = 0; i < in.size(); ++i) {
      if (std::isnan(in[i])) want.codes[i] = got.codes[i];
    }
    ExpectSameCodes(in, got.codes, want.codes);
    ExpectSameCounts(got.counts, want.counts);
  }
};

TEST_P(PackModesTest, MatchesOracleOnCodesTiesSubnormalsThresholdsInfinityAndNan) {
  ExpectOracle(SpecialInputs(Oracle(std::get<Format>(GetParam()))));
}

TEST_P(PackModesTest, MatchesOracleOnRandomBitPatterns) {
  const size_t n = static_cast<size_t>(DeviceEffort() * 200'000) + 3;
  ExpectOracle(RandomInputs(std::get<Format>(GetParam()), n, /*seed=*/20231125));
}

INSTANTIATE_TEST_SUITE_P(
    All, PackModesTest,
    testing::Combine(testing::ValuesIn(kFormats),
                     testing::Values(Rounding::kNearestEven, Rounding::kNearestAway,
                                     Rounding::kReference),
                     testing::Values(Overflow::kSaturate, Overflow::kInfinity)),
    [](const auto& info) {
      return NameOf(std::get<0>(info.param)) + NameOf(std::get<1>(info.param)) +
             (std::get<2>(info.param) == Overflow::kSaturate ? "Saturate" : "Infinity");
    });

class CodesTest : public PackTest, public testing::WithParamInterface<Format> {
 protected:
  static std::vector<uint32_t> AllCodes(const Format& format) {
    std::vector<uint32_t> codes(size_t{1} << format.bits());
    for (uint32_t code = 0; code < codes.size(); ++code) codes[code] = code;
    return codes;
  }
};

TEST_P(CodesTest, EveryCodeHasTheOraclesValueAndPacksToItselfInEveryMode) {
  const Format format = GetParam();
  const Oracle oracle(format);
  const std::vector<uint32_t> codes = AllCodes(format);
  std::vector<float> want;
  for (const uint32_t code : codes) want.push_back(OracleValue(oracle, format, code));
  const std::vector<float> values = UnpackOnDevice(format, codes);
  ExpectSameFloats(want, values, want);
  for (const Rounding rounding : {Rounding::kNearestEven, Rounding::kNearestAway,
                                  Rounding::kReference, Rounding::kStochastic}) {
    const Packed packed = PackOnDevice(
        {.format = format, .rounding = rounding, .overflow = Overflow::kInfinity}, values);
    EXPECT_EQ(packed.counts.underflow, 0);
    ExpectSameFloats(values, UnpackOnDevice(format, packed.codes), values);
    std::vector<uint32_t> finite = codes;
    for (size_t i = 0; i < codes.size(); ++i) {
      if (std::isnan(values[i])) finite[i] = packed.codes[i];
    }
    ExpectSameCodes(values, packed.codes, finite);
  }
}

TEST_P(CodesTest, ToAndFromBf16AndFp16RoundAsTheOracleDoes) {
  const Format format = GetParam();
  const std::vector<uint32_t> codes = AllCodes(format);
  const std::vector<float> values = UnpackOnDevice(format, codes);
  const Piece whole = Piece::Whole(static_cast<int64_t>(codes.size()));
  for (const Element element : {Element::kBFloat16, Element::kFloat16}) {
    const Oracle oracle(FormatOf(element));
    std::vector<float> want;
    for (const float x : values) {
      want.push_back(oracle.Round(x, Rounding::kNearestEven, Overflow::kInfinity));
    }
    const std::vector<uint32_t> words = UnpackOnDevice(
        format, whole, element, codes, std::vector<uint32_t>(codes.size()), Write::kReplace);
    std::vector<float> got;
    for (const uint32_t word : words) got.push_back(OracleValue(oracle, FormatOf(element), word));
    ExpectSameFloats(values, got, want);

    // And back: as the float32 values that the elements are.
    const RoundSpec spec = {.format = format};
    const Packed packed =
        PackOnDevice(spec, whole, element, words, std::vector<uint32_t>(codes.size()));
    const Packed of_floats = PackOnDevice(spec, want);
    ExpectSameFloats(want, UnpackOnDevice(format, packed.codes),
                     UnpackOnDevice(format, of_floats.codes));
    ExpectSameCounts(packed.counts, of_floats.counts);
  }
}

TEST_P(CodesTest, AddRoundsTheSumToTheWideType) {
  const Format format = GetParam();
  const std::vector<uint32_t> codes = AllCodes(format);
  const std::vector<float> values = UnpackOnDevice(format, codes);
  for (const Element element : {Element::kFloat32, Element::kBFloat16, Element::kFloat16}) {
    const bool is_float = element == Element::kFloat32;
    const Oracle oracle(is_float ? kBf16 : FormatOf(element));
    // Addends of the format's size.
    std::vector<float> addends = RandomInputs(format, codes.size(), /*seed=*/3);
    for (float& x : addends) {
      x = oracle.Round(x, Rounding::kNearestEven, Overflow::kInfinity);
      if (std::isnan(x)) x = 1;
    }
    const std::vector<uint32_t> words =
        UnpackOnDevice(format, Piece::Whole(static_cast<int64_t>(codes.size())), element, codes,
                       ElementsOf(addends, element), Write::kAdd);
    for (size_t i = 0; i < codes.size(); ++i) {
      const float sum = addends[i] + values[i];
      const float want =
          is_float ? sum : oracle.Round(sum, Rounding::kNearestEven, Overflow::kInfinity);
      const float got = is_float ? std::bit_cast<float>(words[i])
                                 : OracleValue(oracle, FormatOf(element), words[i]);
      ASSERT_TRUE(SameFloat(got, want) || (std::isnan(got) && std::isnan(want)))
          << std::hexfloat << addends[i] << " + " << values[i] << " became " << got;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, CodesTest, testing::ValuesIn(kFormats),
                         [](const auto& info) { return NameOf(info.param); });

TEST_F(PackTest, ValuesAndCountsAreThoseOfRoundInEveryModeStochasticToo) {
  for (const Format& format : kFormats) {
    const size_t n = static_cast<size_t>(DeviceEffort() * 5000) + 3;
    const std::vector<float> in = RandomInputs(format, n, /*seed=*/8);
    for (const Rounding rounding : {Rounding::kNearestEven, Rounding::kNearestAway,
                                    Rounding::kStochastic, Rounding::kReference}) {
      const RoundSpec spec = {.format = format,
                              .rounding = rounding,
                              .overflow = Overflow::kInfinity,
                              .seed = 12,
                              .offset = 3};
      std::vector<float> want = in;
      RoundCounts want_counts;
      ASSERT_TRUE(Round(Device::Cpu(), spec, in, absl::MakeSpan(want), &want_counts).ok());
      if (!format.top_exponent_reserved) {
        for (float& x : want) {
          if (x == 0) x = 0;
          if (!std::isfinite(x)) x = NAN;
        }
      }
      const Packed packed = PackOnDevice(spec, in);
      ExpectSameCounts(packed.counts, want_counts);
      ExpectSameFloats(in, UnpackOnDevice(format, packed.codes), want);
    }
  }
}

TEST_F(PackTest, Fp32IsStoredBitForBitAndStillCounted) {
  const float largest = 0x1.fffffep127f;
  const std::vector<float> in = {0.0f, -0.0f, 0x1p-149f, 1.1f, -largest, INFINITY, -INFINITY, NAN};
  for (const Rounding rounding : {Rounding::kNearestEven, Rounding::kStochastic}) {
    const Packed packed = PackOnDevice({.format = kFp32, .rounding = rounding}, in);
    ExpectSameCodes(in, packed.codes, ElementsOf(in, Element::kFloat32));
    ExpectSameCounts(packed.counts, {.overflow = 2, .underflow = 0, .nonfinite = 3});
    ExpectSameFloats(in, UnpackOnDevice(kFp32, packed.codes), in);
  }
}

TEST_F(PackTest, LowCodesAreThoseOfE4m3AndE5m2) {
  const auto code = [](const Format& format, float x) {
    return PackOnDevice({.format = format, .overflow = Overflow::kInfinity}, {x}).codes[0];
  };
  // E4M3 has 1.0 at 0x38 and its values are 16 times those of fp(4,3,4).
  EXPECT_EQ(code(kLowForward, 1.0f / 16), 0x38u);
  EXPECT_EQ(code(kLowForward, 480.0f / 16), 0x7Fu);
  EXPECT_EQ(code(kLowBackward, 1.0f), 0x3Cu);
  EXPECT_EQ(code(kLowBackward, -1.75f * 0x1p16f), 0xFFu);
  EXPECT_EQ(code(kLowBackward, -INFINITY), 0x80u);
  EXPECT_EQ(code(kLowBackward, -0.0f), 0u);
}

TEST_F(PackTest, RefusesFormatsWithoutACodeAndNegativeExtents) {
  RoundCounts counts;
  float wide = 0;
  uint32_t code = 0;
  const auto pack = [&](const Format& format, const Piece& piece) {
    return Pack(Device::Cpu(), {.format = format}, piece, Element::kFloat32, &wide, &code, &counts)
        .code();
  };
  const auto unpack = [&](const Format& format, const Piece& piece) {
    return Unpack(Device::Cpu(), format, piece, Element::kFloat32, &code, &wide, Write::kReplace)
        .code();
  };
  const Piece one = Piece::Whole(1);
  for (const auto& [format, piece] :
       {std::pair(Fp(8, 15, 0), one), std::pair(Fp(9, 3, 0), one),
        std::pair(kHigh, Piece{.first = -1, .length = 1}), std::pair(kHigh, Piece{.length = -1}),
        std::pair(kHigh, Piece{.rows = -1, .length = 1})}) {
    EXPECT_EQ(pack(format, piece), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(unpack(format, piece), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(pack(kHigh, one), absl::StatusCode::kOk);
}

}  // namespace
}  // namespace mantissa::kernels
