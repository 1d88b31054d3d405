// The contract of Round(), held against the oracle on the device that this binary is linked with.
#include "kernels/packed/round.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "kernels/formats/format.h"
#include "tests/kernels/packed/buffer.h"
#include "tests/kernels/packed/device.h"
#include "tests/kernels/packed/fixture.h"
#include "tests/kernels/packed/inputs.h"
#include "tests/kernels/packed/oracle.h"
#include "tests/kernels/packed/packing.h"

namespace mantissa::kernels {
namespace {

constexpr Format kFormats[] = {kLowForward, kLowBackward,  kHigh,       kBf16,
                               kFp16,       Fp(2, 1, -32), Fp(7, 8, 32)};

// Where a call finds its tensors.
struct Placement {
  size_t in_offset = 0;  // floats after a 64-byte boundary
  size_t out_offset = 0;
  bool in_place = false;
};

absl::StatusOr<Rounded> RoundOnDevice(const RoundSpec& spec, const std::vector<float>& in,
                                      const Placement& placement = {}) {
  Buffer source(in, placement.in_offset);
  Buffer target(std::vector<float>(in.size(), -12345.0f), placement.out_offset);
  Buffer counts(std::vector<RoundCounts>(1));
  Buffer& out = placement.in_place ? source : target;
  const absl::Status status =
      Round(DeviceUnderTest(in.size()), spec, {source.data<float>(), in.size()},
            {out.data<float>(), in.size()}, counts.data<RoundCounts>());
  if (!status.ok()) return status;
  return Rounded{.values = out.Read<float>(), .counts = counts.Read<RoundCounts>()[0]};
}

class RoundTest : public OnDevice<testing::Test> {};

class RoundModesTest : public RoundTest,
                       public testing::WithParamInterface<std::tuple<Format, Rounding, Overflow>> {
 protected:
  RoundSpec spec() const {
    const auto [format, rounding, overflow] = GetParam();
    return {.format = format, .rounding = rounding, .overflow = overflow};
  }

  void ExpectOracle(const std::vector<float>& in) {
    const auto got = RoundOnDevice(spec(), in);
    ASSERT_TRUE(got.ok()) << got.status();
    const Rounded want = OracleRound(Oracle(spec().format), spec(), in);
    ExpectSameFloats(in, got->values, want.values);
    ExpectSameCounts(got->counts, want.counts);
  }
};

TEST_P(RoundModesTest, MatchesOracleOnCodesTiesSubnormalsThresholdsInfinityAndNan) {
  ExpectOracle(SpecialInputs(Oracle(spec().format)));
}

TEST_P(RoundModesTest, MatchesOracleOnRandomBitPatterns) {
  const size_t n = static_cast<size_t>(DeviceEffort() * 500'000) + 3;
  ExpectOracle(RandomInputs(spec().format, n, /*seed=*/20231124));
}

INSTANTIATE_TEST_SUITE_P(
    All, RoundModesTest,
    testing::Combine(testing::ValuesIn(kFormats),
                     testing::Values(Rounding::kNearestEven, Rounding::kNearestAway,
                                     Rounding::kReference),
                     testing::Values(Overflow::kSaturate, Overflow::kInfinity)),
    [](const auto& info) {
      return NameOf(std::get<0>(info.param)) + NameOf(std::get<1>(info.param)) +
             (std::get<2>(info.param) == Overflow::kSaturate ? "Saturate" : "Infinity");
    });

class RoundPlacementTest : public RoundTest, public testing::WithParamInterface<Rounding> {};

// Against the CPU in one piece and on one thread, which draws its random words vector by vector;
// the CUDA body draws them one by one.
TEST_P(RoundPlacementTest, EveryLengthAlignmentAndAliasGivesTheSameBitsAndCounts) {
  const bool quick = DeviceEffort() < 0.1;
  std::vector<Placement> placements = {{.in_offset = 3, .out_offset = 2},
                                       {.in_offset = 2, .in_place = true}};
  if (!quick) placements.insert(placements.end(), {{}, {.in_offset = 1, .out_offset = 1}});
  const std::vector<float> all = RandomInputs(kLowForward, 100'003, /*seed=*/5);
  std::vector<size_t> lengths = {1000, 4099};
  if (!quick) lengths.push_back(all.size());
  for (size_t n = 0; n <= 67; n += quick ? 22 : 1) lengths.push_back(n);
  for (const size_t n : lengths) {
    const std::vector<float> in(all.begin(), all.begin() + n);
    RoundSpec spec = {.format = kLowForward, .rounding = GetParam(), .seed = 77, .offset = n};
    Rounded want = {.values = in, .counts = {}};
    ASSERT_TRUE(Round(Device::Cpu(), spec, in, absl::MakeSpan(want.values), &want.counts).ok());
    for (const Placement& placement : placements) {
      const auto got = RoundOnDevice(spec, in, placement);
      ASSERT_TRUE(got.ok()) << got.status();
      SCOPED_TRACE("length " + std::to_string(n));
      ExpectSameFloats(in, got->values, want.values);
      ExpectSameCounts(got->counts, want.counts);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, RoundPlacementTest,
                         testing::Values(Rounding::kNearestEven, Rounding::kNearestAway,
                                         Rounding::kStochastic, Rounding::kReference),
                         [](const auto& info) { return NameOf(info.param); });

TEST_F(RoundTest, ReferenceRoundsSubnormalsTwiceAndTheOtherModesOnce) {
  const float below_half = 0x1p-14f * (1 - 0x1p-24f);
  for (const auto& [rounding, want] :
       {std::pair(Rounding::kReference, 0x1p-13f), std::pair(Rounding::kNearestAway, 0.0f),
        std::pair(Rounding::kNearestEven, 0.0f)}) {
    const auto got = RoundOnDevice({.format = kLowForward, .rounding = rounding}, {below_half});
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->values[0], want) << NameOf(rounding);
  }
}

TEST_F(RoundTest, Fp32KeepsEveryBitAndStillCounts) {
  const float denormal = 0x1p-149f, largest = 0x1.fffffep127f, infinity = INFINITY;
  const std::vector<float> in = {0.0f, -0.0f, denormal, 1.1f, -largest, infinity, -infinity, NAN};
  for (const Overflow overflow : {Overflow::kSaturate, Overflow::kInfinity}) {
    for (const Rounding rounding : {Rounding::kNearestEven, Rounding::kStochastic}) {
      const auto got =
          RoundOnDevice({.format = kFp32, .rounding = rounding, .overflow = overflow}, in);
      ASSERT_TRUE(got.ok()) << got.status();
      ExpectSameFloats(in, got->values, in);
      ExpectSameCounts(got->counts, {.overflow = 2, .underflow = 0, .nonfinite = 3});
    }
  }
}

TEST_F(RoundTest, RefusesSizesThatDifferAndFormatsOutOfRange) {
  const std::vector<float> in(4);
  std::vector<float> out(3);
  RoundCounts counts;
  EXPECT_EQ(Round(Device::Cpu(), {}, in, absl::MakeSpan(out), &counts).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RoundOnDevice({.format = Fp(9, 3, 0)}, in).status().code(),
            absl::StatusCode::kInvalidArgument);
}

class StochasticRoundTest : public RoundTest, public testing::WithParamInterface<Format> {
 protected:
  Rounded RoundAll(const std::vector<float>& in, uint64_t seed, uint64_t offset = 0) {
    const auto got = RoundOnDevice(
        {.format = GetParam(), .rounding = Rounding::kStochastic, .seed = seed, .offset = offset},
        in);
    EXPECT_TRUE(got.ok()) << got.status();
    return got.ok() ? *got : Rounded{.values = in, .counts = {}};
  }
};

TEST_P(StochasticRoundTest, GivesOneOfTheTwoNeighboursAndKeepsTheFormatsValues) {
  const Oracle oracle(GetParam());
  const std::vector<float> in = SpecialInputs(oracle);
  const Rounded got = RoundAll(in, /*seed=*/1);
  RoundCounts want;
  for (size_t i = 0; i < in.size(); ++i) {
    if (std::isnan(in[i])) {
      EXPECT_TRUE(std::isnan(got.values[i]));
    } else {
      const Oracle::Place place = oracle.Find(in[i]);
      const double magnitude = std::fabs(got.values[i]);
      ASSERT_EQ(std::signbit(got.values[i]), std::signbit(in[i]));
      ASSERT_TRUE(magnitude == place.lower || (magnitude == place.upper && place.part > 0))
          << std::hexfloat << in[i] << " became " << got.values[i];
    }
    const RoundCounts counts = oracle.Count(in[i], got.values[i]);
    want.overflow += counts.overflow;
    want.underflow += counts.underflow;
    want.nonfinite += counts.nonfinite;
  }
  ExpectSameCounts(got.counts, want);
}

TEST_P(StochasticRoundTest, RoundsUpAsOftenAsThePartThatIsCutOff) {
  const Oracle oracle(GetParam());
  const std::vector<double>& values = oracle.values();
  const size_t draws = DeviceEffort() < 0.1 ? 10'000 : 100'000;
  // The smallest subnormals, the first normal, the last two values.
  const size_t first_normal = size_t{1} << GetParam().mantissa_bits;
  for (const size_t code : {size_t{0}, size_t{1}, first_normal, values.size() - 2}) {
    for (const double part : {0.001, 0.25, 0.5, 0.9}) {
      const float x = static_cast<float>(values[code] + part * (values[code + 1] - values[code]));
      const double p = oracle.Find(x).part;
      const Rounded got = RoundAll(std::vector<float>(draws, x), /*seed=*/code + 1);
      size_t up = 0;
      for (const float y : got.values) up += y == static_cast<float>(values[code + 1]);
      EXPECT_NEAR(static_cast<double>(up) / draws, p, 5 * std::sqrt(p * (1 - p) / draws))
          << "between codes " << code << " and " << code + 1;
    }
  }
}

TEST_P(StochasticRoundTest, DependsOnSeedAndElementIndexAlone) {
  const std::vector<float> in = RandomInputs(GetParam(), 2003, /*seed=*/9);
  const Rounded whole = RoundAll(in, /*seed=*/3);
  ExpectSameFloats(in, RoundAll(in, /*seed=*/3).values, whole.values);
  // Pieces that begin at all four places in a block of random words.
  for (const size_t cut : {1, 2, 3, 4, 517, 1022}) {
    const std::vector<float> tail(in.begin() + cut, in.end());
    const std::vector<float> want(whole.values.begin() + cut, whole.values.end());
    ExpectSameFloats(tail, RoundAll(tail, /*seed=*/3, /*offset=*/cut).values, want);
  }
  const Rounded other = RoundAll(in, /*seed=*/4);
  size_t changed = 0;
  for (size_t i = 0; i < in.size(); ++i) changed += !SameFloat(other.values[i], whole.values[i]);
  EXPECT_GT(changed, 100u);
}

INSTANTIATE_TEST_SUITE_P(All, StochasticRoundTest,
                         testing::Values(kLowForward, kLowBackward, kHigh, kBf16, kFp16),
                         [](const auto& info) { return NameOf(info.param); });

}  // namespace
}  // namespace mantissa::kernels
