// The CPU body on each instruction set that this machine has, against the scalar arithmetic.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/targets.h"
#include "kernels/formats/format.h"
#include "kernels/packed/round_core.h"
#include "kernels/packed/round_cpu.h"
#include "tests/kernels/packed/inputs.h"
#include "tests/kernels/packed/oracle.h"

namespace mantissa::kernels {
namespace {

// Those of a format with subnormals, fp(4,3,4) saturating, and of one whose subnormals are
// float32's, bf16 with infinities.
RoundParams LowForwardParams() {
  RoundParams params = {};
  params.max_bits = params.overflow_to = BitsOf(30.0f);
  params.overflow_bits = BitsOf(31.0f);
  params.shift = 20;
  params.half = 1u << 19;
  params.keep = ~0u << 20;
  params.min_normal = 0x1p-10f;
  params.subnormal_limit = BitsOf(params.min_normal);
  params.unit = 0x1p-13f;
  params.half_unit = 0x1p-14f;
  params.unit_inverse = 0x1p13f;
  params.magic = 0x1p10f;
  params.seed = 11;
  params.offset = 5;
  return params;
}

RoundParams Bf16Params() {
  RoundParams params = {};
  params.max_bits = 0x7F7F0000u;
  params.overflow_bits = 0x7F7F8000u;
  params.overflow_to = kInfinityBits;
  params.shift = 16;
  params.half = 1u << 15;
  params.keep = ~0u << 16;
  params.seed = 12;
  params.offset = 6;
  return params;
}

template <Rounding kMode>
std::vector<float> RoundScalar(const RoundParams& params, const std::vector<float>& in,
                               RoundCounts* counts) {
  std::vector<float> out;
  for (size_t i = 0; i < in.size(); ++i) {
    const uint64_t index = params.offset + i;
    const uint32_t random = RandomBlock(params.seed, index / 4).word[index % 4];
    out.push_back(FloatOf(RoundBits<kMode>(BitsOf(in[i]), random, params, counts)));
  }
  return out;
}

std::vector<uint32_t> BitsOfAll(const std::vector<float>& floats) {
  std::vector<uint32_t> bits;
  for (const float x : floats) bits.push_back(BitsOf(x));
  return bits;
}

class RoundTargetsTest : public testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { hwy::SetSupportedTargetsForTest(GetParam()); }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }

  template <Rounding kMode>
  void ExpectScalar() {
    for (const RoundParams& params : {LowForwardParams(), Bf16Params()}) {
      // Short lengths see the last of the special ones: NaNs, infinities, thresholds.
      std::vector<float> all = SpecialInputs(Oracle(kLowForward));
      std::reverse(all.begin(), all.end());
      const std::vector<float> random = RandomInputs(kLowForward, 2003, /*seed=*/1);
      all.insert(all.end(), random.begin(), random.end());
      std::vector<size_t> lengths = {1023, 1024, 1025, all.size()};
      for (size_t n = 0; n <= 67; ++n) lengths.push_back(n);
      for (const size_t n : lengths) {
        const std::vector<float> in(all.begin(), all.begin() + n);
        RoundCounts want_counts, counts;
        const std::vector<float> want = RoundScalar<kMode>(params, in, &want_counts);
        std::vector<float> got(n);
        RoundOnCpu(kMode, params, in.data(), got.data(), static_cast<int64_t>(n), &counts);
        ASSERT_EQ(BitsOfAll(got), BitsOfAll(want)) << "length " << n;
        EXPECT_EQ(counts.overflow, want_counts.overflow);
        EXPECT_EQ(counts.underflow, want_counts.underflow);
        EXPECT_EQ(counts.nonfinite, want_counts.nonfinite);
      }
    }
  }
};

TEST_P(RoundTargetsTest, EveryModeGivesTheBitsAndCountsOfTheScalarCore) {
  ExpectScalar<Rounding::kNearestEven>();
  ExpectScalar<Rounding::kNearestAway>();
  ExpectScalar<Rounding::kStochastic>();
  ExpectScalar<Rounding::kReference>();
}

// The compiler's baseline is always among them.
INSTANTIATE_TEST_SUITE_P(Machine, RoundTargetsTest,
                         testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& info) { return std::string(hwy::TargetName(info.param)); });

}  // namespace
}  // namespace mantissa::kernels
