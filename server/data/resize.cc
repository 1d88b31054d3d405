#include "server/data/resize.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

namespace mantissa::data {
namespace {

// The input pixels of one output pixel along one side: those from `begin` on, with these weights.
struct Taps {
  int64_t begin = 0;
  std::vector<float> weights;  // their sum is 1
};

std::vector<Taps> TapsOf(double start, double length, int64_t image_size, int64_t size) {
  const double scale = length / static_cast<double>(size);
  const double support = std::max(scale, 1.0);
  std::vector<Taps> all(size);
  for (int64_t i = 0; i < size; ++i) {
    const double centre = start + (static_cast<double>(i) + 0.5) * scale;
    const auto first = static_cast<int64_t>(std::floor(centre - support));
    const auto last = static_cast<int64_t>(std::ceil(centre + support));
    Taps& taps = all[i];
    taps.begin = std::clamp<int64_t>(first, 0, image_size - 1);
    const int64_t end = std::clamp<int64_t>(last, taps.begin + 1, image_size);
    std::vector<double> weights;
    double sum = 0;
    for (int64_t p = taps.begin; p < end; ++p) {
      const double distance = std::abs(static_cast<double>(p) + 0.5 - centre) / support;
      weights.push_back(std::max(0.0, 1 - distance));
      sum += weights.back();
    }
    for (double weight : weights) taps.weights.push_back(static_cast<float>(weight / sum));
  }
  return all;
}

template <typename Pixel>
Pixel Rounded(float value) {
  if constexpr (std::is_same_v<Pixel, uint8_t>) {
    return static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
  } else {
    return value;
  }
}

}  // namespace

Box CentreBox(int64_t image_height, int64_t image_width, int64_t height, int64_t width) {
  const double scale = std::min(static_cast<double>(image_height) / static_cast<double>(height),
                                static_cast<double>(image_width) / static_cast<double>(width));
  Box box{.height = scale * static_cast<double>(height),
          .width = scale * static_cast<double>(width)};
  box.top = (static_cast<double>(image_height) - box.height) / 2;
  box.left = (static_cast<double>(image_width) - box.width) / 2;
  return box;
}

template <typename Pixel>
void ResizeBox(const Pixel* image, int64_t channels, int64_t image_height, int64_t image_width,
               const Box& box, int64_t height, int64_t width, Pixel* out) {
  const std::vector<Taps> rows = TapsOf(box.top, box.height, image_height, height);
  const std::vector<Taps> columns = TapsOf(box.left, box.width, image_width, width);
  // Rows first: one row of sums is wide at a time, and whole rows are read in order.
  std::vector<float> sums(image_width);
  for (int64_t c = 0; c < channels; ++c) {
    const Pixel* plane = image + c * image_height * image_width;
    for (int64_t y = 0; y < height; ++y) {
      std::fill(sums.begin(), sums.end(), 0.0f);
      const Taps& taps = rows[y];
      for (size_t t = 0; t < taps.weights.size(); ++t) {
        const Pixel* row = plane + (taps.begin + static_cast<int64_t>(t)) * image_width;
        const float weight = taps.weights[t];
        for (int64_t x = 0; x < image_width; ++x) sums[x] += weight * static_cast<float>(row[x]);
      }
      for (int64_t x = 0; x < width; ++x) {
        float value = 0;
        const float* from = sums.data() + columns[x].begin;
        for (size_t t = 0; t < columns[x].weights.size(); ++t) {
          value += columns[x].weights[t] * from[t];
        }
        *out++ = Rounded<Pixel>(value);
      }
    }
  }
}

template void ResizeBox(const uint8_t*, int64_t, int64_t, int64_t, const Box&, int64_t, int64_t,
                        uint8_t*);
template void ResizeBox(const float*, int64_t, int64_t, int64_t, const Box&, int64_t, int64_t,
                        float*);

}  // namespace mantissa::data
