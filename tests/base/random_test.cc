#include "base/random.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/philox.h"
#include "gtest/gtest.h"

namespace mantissa {
namespace {

TEST(RandomStream, TakesTheWordsOfThePhiloxBlocksInOrder) {
  RandomStream random(0x0000000200000001, 0x0000000400000003);
  for (uint32_t block = 0; block < 3; ++block) {
    const PhiloxBlock expected = Philox({{block, 0, 3, 4}}, {{1, 2}});
    for (uint32_t word : expected.word) EXPECT_EQ(random.Next(), word);
  }
}

TEST(RandomStream, SameSeedRepeatsAndOtherStreamDiffers) {
  RandomStream a(1, 2), b(1, 2), c(1, 3), d(2, 2);
  const std::vector<int64_t> order = a.Permutation(100);
  EXPECT_EQ(order, b.Permutation(100));
  EXPECT_NE(order, c.Permutation(100));
  EXPECT_NE(order, d.Permutation(100));
}

TEST(RandomStream, UniformHasMeanAndVarianceOfTheUnitInterval) {
  RandomStream random(1, 0);
  double sum = 0, squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.Uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    sum += x;
    squares += x * x;
  }
  // Five standard errors.
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kDraws));
}

TEST(RandomStream, NormalHasTheMomentsOfTheStandardNormal) {
  RandomStream random(1, 0);
  double sums[5] = {};
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.Normal();
    for (int power = 1; power <= 4; ++power) sums[power] += std::pow(x, power);
  }
  EXPECT_NEAR(sums[1] / kDraws, 0, 5 * std::sqrt(1.0 / kDraws));
  EXPECT_NEAR(sums[2] / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(sums[3] / kDraws, 0, 5 * std::sqrt(15.0 / kDraws));
  EXPECT_NEAR(sums[4] / kDraws, 3, 5 * std::sqrt(96.0 / kDraws));
}

TEST(RandomStream, BelowIsEvenOverAllResults) {
  RandomStream random(1, 0);
  constexpr int kBound = 7, kDraws = 70000;
  int counts[kBound] = {};
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t x = random.Below(kBound);
    ASSERT_LT(x, uint64_t{kBound});
    ++counts[x];
  }
  for (int count : counts) EXPECT_NEAR(count, 10000, 500);
  EXPECT_EQ(random.Below(1), 0u);
}

TEST(RandomStream, PermutationHoldsEachNumberOnce) {
  RandomStream random(1, 0);
  std::vector<int64_t> order = random.Permutation(1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(order[i], i);
  EXPECT_TRUE(random.Permutation(0).empty());
}

// All 6 orders of 3 numbers, each as often as the others.
TEST(RandomStream, PermutationsOfThreeAreEquallyLikely) {
  RandomStream random(1, 0);
  int counts[27] = {};
  for (int i = 0; i < 6000; ++i) {
    const std::vector<int64_t> p = random.Permutation(3);
    ++counts[p[0] * 9 + p[1] * 3 + p[2]];
  }
  EXPECT_EQ(std::count(counts, counts + 27, 0), 21);
  for (int count : counts) {
    if (count != 0) {
      EXPECT_NEAR(count, 1000, 150);
    }
  }
}

}  // namespace
}  // namespace mantissa
