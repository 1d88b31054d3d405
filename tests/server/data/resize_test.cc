#include "server/data/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "server/data/npz.h"
#include "tests/server/data/testdata.h"

namespace mantissa::data {
namespace {

using ::testing::ElementsAre;

TEST(Resize, WholeImageAtItsSizeStaysAsItIs) {
  std::vector<uint8_t> image(2 * 5 * 7), out(image.size());
  for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<uint8_t>(37 * i);
  ResizeBox(image.data(), 2, 5, 7, {.height = 5, .width = 7}, 5, 7, out.data());
  EXPECT_EQ(out, image);
}

TEST(Resize, HalfTheSizeIsTheMeanUnderATriangle) {
  const std::vector<float> image = {0, 8, 16, 24, 32, 40, 48, 56};
  std::vector<float> out(4);
  ResizeBox(image.data(), 1, 1, 8, {.height = 1, .width = 8}, 1, 4, out.data());
  // Weights 1, 3, 3, 1 of 8 inside; at the edges those that are there.
  EXPECT_THAT(out, ElementsAre(::testing::FloatNear((3 * 0 + 3 * 8 + 16) / 7.0f, 1e-5f), 20, 36,
                               ::testing::FloatNear((40 + 3 * 48 + 3 * 56) / 7.0f, 1e-5f)));
}

TEST(Resize, BoxIsCutFromItsPlace) {
  std::vector<uint8_t> image(6 * 6, 9);
  for (int y = 2; y < 4; ++y) image[6 * y + 3] = image[6 * y + 4] = 200;
  std::vector<uint8_t> out(4);
  ResizeBox(image.data(), 1, 6, 6, {.top = 2, .left = 3, .height = 2, .width = 2}, 2, 2,
            out.data());
  EXPECT_THAT(out, ElementsAre(200, 200, 200, 200));
}

TEST(Resize, CentreBoxHasTheWantedShapeAndTouchesTheShorterSides) {
  const Box wide = CentreBox(100, 300, 50, 50);
  EXPECT_EQ(wide.height, 100);
  EXPECT_EQ(wide.width, 100);
  EXPECT_EQ(wide.left, 100);
  EXPECT_EQ(wide.top, 0);
  const Box tall = CentreBox(300, 100, 20, 40);
  EXPECT_EQ(tall.height, 50);
  EXPECT_EQ(tall.width, 100);
  EXPECT_EQ(tall.top, 125);
}

// Pillow's resize() with BILINEAR and a box, of the same image.
TEST(Resize, PixelsEqualPillowsWithinOne) {
  auto arrays = ReadNpz(TestdataPath("testdata/resized.npz"), {});
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  const NpyArray& image = arrays->at("image");  // [height, width]
  for (const char* name : {"smaller", "larger", "cut"}) {
    const NpyArray& expected = arrays->at(name);
    const std::vector<float> box = *arrays->at(std::string(name) + "_box").ToFloat();
    std::vector<uint8_t> out(expected.elements());
    ResizeBox(reinterpret_cast<const uint8_t*>(image.bytes.data()), 1, image.shape[0],
              image.shape[1], {.top = box[0], .left = box[1], .height = box[2], .width = box[3]},
              expected.shape[0], expected.shape[1], out.data());
    for (size_t i = 0; i < out.size(); ++i) {
      const int pillow = static_cast<uint8_t>(expected.bytes[i]);
      EXPECT_LE(std::abs(out[i] - pillow), 1) << name << " " << i;
    }
  }
}

}  // namespace
}  // namespace mantissa::data
