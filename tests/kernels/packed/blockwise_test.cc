// The contract of PackBlocks() and UnpackBlocks(), on the device that this binary is linked with.
#include "kernels/packed/blockwise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "tests/kernels/packed/buffer.h"
#include "tests/kernels/packed/device.h"
#include "tests/kernels/packed/fixture.h"

namespace mantissa::kernels {
namespace {

// As the paper has it: leading zeros are the exponent to base 10, then comes a one, then a linear
// fraction of the decade, of which the centres of its intervals are meant.
std::vector<double> TreeValues(BlockTable table) {
  const bool has_sign = table == BlockTable::kSigned;
  const int bits = has_sign ? 7 : 8;
  std::vector<double> values = {0, 1};
  for (int code = has_sign ? 1 : 2; code < 1 << bits; ++code) {
    int zeros = 0;
    while ((code >> (bits - 1 - zeros) & 1) == 0) ++zeros;
    const int fraction_bits = bits - 1 - zeros;
    const double intervals = std::ldexp(1, fraction_bits);
    const double fraction = code - intervals;
    const double value = std::pow(10, -zeros) * (0.1 + 0.9 * (fraction + 0.5) / intervals);
    values.push_back(value);
    if (has_sign) values.push_back(-value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

struct Blocks {
  std::vector<uint8_t> codes;
  std::vector<float> scales;
};

Blocks PackBlocksOnDevice(BlockTable table, const std::vector<float>& in, size_t offset = 0) {
  const int64_t n = static_cast<int64_t>(in.size());
  Buffer wide(in, offset), codes(std::vector<uint8_t>(in.size()), offset);
  Buffer scales(std::vector<float>(BlockCount(n)));
  EXPECT_TRUE(PackBlocks(DeviceUnderTest(in.size()), table, wide.data<float>(), n,
                         codes.data<uint8_t>(), scales.data<float>())
                  .ok());
  return {.codes = codes.Read<uint8_t>(), .scales = scales.Read<float>()};
}

std::vector<float> UnpackBlocksOnDevice(BlockTable table, const Blocks& blocks, size_t offset = 0) {
  Buffer codes(blocks.codes, offset), scales(blocks.scales);
  Buffer wide(std::vector<float>(blocks.codes.size()), offset);
  EXPECT_TRUE(UnpackBlocks(DeviceUnderTest(blocks.codes.size()), table, codes.data<uint8_t>(),
                           scales.data<float>(), static_cast<int64_t>(blocks.codes.size()),
                           wide.data<float>())
                  .ok());
  return wide.Read<float>();
}

// Of all sizes down to 10^-9 of the largest, a tenth of them zero.
std::vector<float> Moments(BlockTable table, size_t n) {
  std::mt19937 random(3);
  std::vector<float> values(n);
  for (float& x : values) {
    const double u = std::generate_canonical<double, 30>(random);
    x = static_cast<float>(3.7 * std::pow(10, -9 * u));
    if (table == BlockTable::kSigned && random() % 2 == 0) x = -x;
    if (random() % 10 == 0) x = 0;
  }
  return values;
}

class BlockwiseTest : public OnDevice<testing::TestWithParam<BlockTable>> {};

TEST_P(BlockwiseTest, TableIsThatOfDynamicTreeQuantization) {
  Blocks all = {.codes = std::vector<uint8_t>(256), .scales = {1.0f}};
  for (size_t i = 0; i < 256; ++i) all.codes[i] = static_cast<uint8_t>(i);
  const std::vector<float> values = UnpackBlocksOnDevice(GetParam(), all);
  const std::vector<double> want = TreeValues(GetParam());
  ASSERT_EQ(want.size(), 256u);
  for (size_t i = 0; i < 256; ++i) {
    EXPECT_NEAR(values[i], want[i], 1e-6 * std::fabs(want[i])) << "value " << i;
  }
  // And the values themselves come back.
  EXPECT_EQ(PackBlocksOnDevice(GetParam(), values).codes, all.codes);
}

// Of the n elements of a block.
void ExpectNearest(const std::vector<double>& table, const float* in, const float* out, size_t n,
                   float scale) {
  double largest = 0;
  for (size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(double{in[i]}));
  ASSERT_EQ(scale, largest);
  if (largest == 0) return;
  for (size_t i = 0; i < n; ++i) {
    const double scaled = in[i] / largest;
    double nearest = 2;
    for (const double value : table) nearest = std::min(nearest, std::fabs(value - scaled));
    ASSERT_LE(std::fabs(out[i] / largest - scaled), nearest + 2e-7 * std::fabs(scaled))
        << "element " << i << " of " << n;
  }
}

TEST_P(BlockwiseTest, EveryElementGoesToTheNearestValueOfItsBlocksScale) {
  const std::vector<double> table = TreeValues(GetParam());
  for (const size_t n : {size_t{1}, size_t{67}, size_t{2047}, size_t{2048}, size_t{2049},
                         static_cast<size_t>(DeviceEffort() * 100'000) + 7}) {
    for (const size_t offset : {0, 1}) {
      const std::vector<float> in = Moments(GetParam(), n);
      const Blocks blocks = PackBlocksOnDevice(GetParam(), in, offset);
      const std::vector<float> out = UnpackBlocksOnDevice(GetParam(), blocks, offset);
      for (size_t block = 0, i = 0; i < n; ++block, i += kBlockElements) {
        ExpectNearest(table, &in[i], &out[i], std::min<size_t>(kBlockElements, n - i),
                      blocks.scales[block]);
      }
    }
  }
}

TEST_P(BlockwiseTest, CodesAreThoseOfTheCpuBitForBit) {
  const size_t n = static_cast<size_t>(DeviceEffort() * 500'000) + 1029;
  std::vector<float> in = Moments(GetParam(), n);
  // Of all exponents, down to where nothing is left but zero.
  for (size_t i = 0; i < 1000; ++i) in[i] = std::ldexp(in[i], -static_cast<int>(i % 140));
  Blocks want = {.codes = std::vector<uint8_t>(n), .scales = std::vector<float>(BlockCount(n))};
  ASSERT_TRUE(PackBlocks(Device::Cpu(), GetParam(), in.data(), static_cast<int64_t>(n),
                         want.codes.data(), want.scales.data())
                  .ok());
  const Blocks got = PackBlocksOnDevice(GetParam(), in);
  EXPECT_EQ(got.codes, want.codes);
  EXPECT_EQ(got.scales, want.scales);
}

TEST_P(BlockwiseTest, ABlockWithNanOrInfinityComesBackAsNanAndOthersDoNot) {
  for (const float bad : {NAN, INFINITY}) {
    std::vector<float> in(3 * kBlockElements, 0.5f);
    in[kBlockElements + 5] = bad;
    const std::vector<float> out =
        UnpackBlocksOnDevice(GetParam(), PackBlocksOnDevice(GetParam(), in));
    for (size_t i = 0; i < in.size(); ++i) {
      if (i / kBlockElements == 1) {
        ASSERT_TRUE(std::isnan(out[i]));
      } else {
        ASSERT_EQ(out[i], 0.5f);
      }
    }
  }
}

TEST_P(BlockwiseTest, ABlockOfZerosStaysZero) {
  const std::vector<float> in(kBlockElements + 3);
  const Blocks blocks = PackBlocksOnDevice(GetParam(), in);
  EXPECT_EQ(UnpackBlocksOnDevice(GetParam(), blocks), in);
  EXPECT_EQ(blocks.scales, std::vector<float>(2));
}

INSTANTIATE_TEST_SUITE_P(All, BlockwiseTest,
                         testing::Values(BlockTable::kSigned, BlockTable::kUnsigned),
                         [](const auto& info) {
                           return info.param == BlockTable::kSigned ? "Signed" : "Unsigned";
                         });

TEST(BlockwiseArgumentsTest, RefusesANegativeNumberOfElements) {
  EXPECT_EQ(PackBlocks(Device::Cpu(), BlockTable::kSigned, nullptr, -1, nullptr, nullptr).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(UnpackBlocks(Device::Cpu(), BlockTable::kSigned, nullptr, nullptr, -1, nullptr).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace mantissa::kernels
