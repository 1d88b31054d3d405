// Changes images as they are read: crops, flips, crops that are resized.
//
//   const Change change = ChangeOf({.kind = AugmentKind::kCropFlip}, {3, 32, 32}, numbers);
//   ApplyChange(pixels, {3, 32, 32}, change, [&](int64_t c, uint8_t pixel) { ... }, out);
//
// Pure: the same numbers, the same change.
#ifndef MANTISSA_SERVER_ENGINE_AUGMENT_H_
#define MANTISSA_SERVER_ENGINE_AUGMENT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "server/data/resize.h"
#include "server/engine/options.h"

namespace mantissa::engine {

// [C, H, W].
struct ImageSize {
  int64_t channels = 0, height = 0, width = 0;
};

// A pixel (y, x) of the result comes from (y + top, x + left), x counted from the right if flipped,
// of the image, or of what `box` cut out of it and resized to its size.
struct Change {
  int64_t top = 0, left = 0;
  bool flip = false;
  std::optional<data::Box> box;
};

// Of resized crops the area is uniform between the least and all, the logarithm of the aspect
// ratio between those of 3/4 and 4/3; after ten that do not fit, the whole image (Szegedy et al.,
// CVPR 2015).
Change ChangeOf(const AugmentOptions& options, const ImageSize& size, RandomStream& numbers);

// From Beta(alpha, alpha), in [0, 1]. REQUIRES: alpha > 0.
double MixUpWeight(double alpha, RandomStream& numbers);

// Writes the changed image, every pixel as `normalised`(channel, pixel) gives it. What lies outside
// is a pixel of 0. `cut` is for a box's result.
template <typename Pixel, typename Normalise>
void ApplyChange(const Pixel* image, const ImageSize& size, const Change& change,
                 const Normalise& normalised, std::vector<Pixel>& cut, float* out) {
  const auto [channels, height, width] = size;
  if (change.box) {
    cut.resize(channels * height * width);
    data::ResizeBox(image, channels, height, width, *change.box, height, width, cut.data());
    image = cut.data();
  }
  for (int64_t c = 0; c < channels; ++c, image += height * width) {
    const float padding = normalised(c, Pixel{0});
    for (int64_t y = 0; y < height; ++y) {
      const int64_t from_y = y + change.top;
      const bool inside_y = from_y >= 0 && from_y < height;
      for (int64_t x = 0; x < width; ++x) {
        const int64_t from_x = (change.flip ? width - 1 - x : x) + change.left;
        const bool inside = inside_y && from_x >= 0 && from_x < width;
        *out++ = inside ? normalised(c, image[from_y * width + from_x]) : padding;
      }
    }
  }
}

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_AUGMENT_H_
