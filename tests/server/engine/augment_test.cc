#include "server/engine/augment.h"

#include <set>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace mantissa::engine {
namespace {

TEST(Augment, ResizedCropsLieInTheImageAndHaveTheirShareOfIt) {
  const ImageSize size = {3, 40, 60};
  double smallest = 1, largest = 0;
  for (int i = 0; i < 500; ++i) {
    RandomStream numbers(1, i);
    const Change change =
        ChangeOf({.kind = AugmentKind::kResizedCrop, .min_area = 0.25}, size, numbers);
    ASSERT_TRUE(change.box.has_value());
    EXPECT_FALSE(change.flip);
    const data::Box& box = *change.box;
    EXPECT_GE(box.top, 0);
    EXPECT_GE(box.left, 0);
    EXPECT_LE(box.top + box.height, 40);
    EXPECT_LE(box.left + box.width, 60);
    const double area = box.height * box.width / (40 * 60);
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
    EXPECT_GT(area, 0.23);  // sides are whole pixels
  }
  EXPECT_LT(smallest, 0.3);
  EXPECT_GT(largest, 0.75);
}

TEST(Augment, MixUpWeightsHaveTheMomentsOfTheBetaDistribution) {
  for (const double alpha : {0.2, 1.0, 5.0}) {
    double sum = 0, squares = 0;
    constexpr int kCount = 20000;
    for (int i = 0; i < kCount; ++i) {
      RandomStream numbers(4, i);
      const double weight = MixUpWeight(alpha, numbers);
      ASSERT_GE(weight, 0);
      ASSERT_LE(weight, 1);
      sum += weight;
      squares += weight * weight;
    }
    const double mean = sum / kCount;
    EXPECT_NEAR(mean, 0.5, 0.015) << alpha;
    EXPECT_NEAR(squares / kCount - mean * mean, 1 / (4 * (2 * alpha + 1)), 0.01) << alpha;
  }
}

TEST(Augment, FlipAloneMovesNothingAndHappensHalfOfTheTime) {
  int flips = 0;
  for (int i = 0; i < 400; ++i) {
    RandomStream numbers(2, i);
    const Change change = ChangeOf({.kind = AugmentKind::kFlip}, {1, 4, 4}, numbers);
    EXPECT_EQ(change.top, 0);
    EXPECT_EQ(change.left, 0);
    EXPECT_FALSE(change.box.has_value());
    flips += change.flip ? 1 : 0;
  }
  EXPECT_GT(flips, 150);
  EXPECT_LT(flips, 250);
}

TEST(Augment, PaddingBoundsHowFarACropMoves) {
  std::set<int64_t> places;
  for (int i = 0; i < 300; ++i) {
    RandomStream numbers(3, i);
    places.insert(ChangeOf({.kind = AugmentKind::kCrop, .padding = 2}, {1, 4, 4}, numbers).top);
  }
  EXPECT_EQ(places, (std::set<int64_t>{-2, -1, 0, 1, 2}));
}

TEST(Augment, BoxIsResizedBeforeItIsFlippedAndNormalised) {
  // Two columns of 2 x 2: the left one is 10, the right one 20.
  const std::vector<uint8_t> image = {10, 20, 10, 20};
  Change change{.flip = true};
  change.box = data::Box{.top = 0, .left = 0, .height = 2, .width = 2};
  std::vector<uint8_t> cut;
  std::vector<float> out(4);
  ApplyChange(
      image.data(), {1, 2, 2}, change, [](int64_t, uint8_t pixel) { return pixel / 10.0f; }, cut,
      out.data());
  EXPECT_EQ(out, (std::vector<float>{2, 1, 2, 1}));
}

}  // namespace
}  // namespace mantissa::engine
