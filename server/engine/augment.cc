#include "server/engine/augment.h"

#include <cmath>

namespace mantissa::engine {
namespace {

constexpr int kTries = 10;

data::Box RandomBox(double min_area, const ImageSize& size, RandomStream& numbers) {
  const auto height = static_cast<double>(size.height), width = static_cast<double>(size.width);
  for (int i = 0; i < kTries; ++i) {
    const double area = height * width * (min_area + (1 - min_area) * numbers.Uniform());
    const double ratio = std::exp((2 * numbers.Uniform() - 1) * std::log(4.0 / 3));
    const data::Box box{.height = std::round(std::sqrt(area / ratio)),
                        .width = std::round(std::sqrt(area * ratio))};
    if (box.height < 1 || box.width < 1 || box.height > height || box.width > width) continue;
    const auto free_rows = static_cast<uint64_t>(height - box.height);
    const auto free_columns = static_cast<uint64_t>(width - box.width);
    return {.top = static_cast<double>(numbers.Below(free_rows + 1)),
            .left = static_cast<double>(numbers.Below(free_columns + 1)),
            .height = box.height,
            .width = box.width};
  }
  return {.height = height, .width = width};
}

// Of the Gamma distribution of that shape and scale 1, its logarithm: small shapes give numbers
// that are none otherwise (Marsaglia, Tsang, ACM TOMS 2000).
double LogGamma(double shape, RandomStream& numbers) {
  if (shape < 1) {
    // In (0, 1]: the logarithm of 0 is none.
    const double below = std::log(1 - numbers.Uniform()) / shape;
    return below + LogGamma(shape + 1, numbers);
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = numbers.Normal(), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(1 - numbers.Uniform()) < x * x / 2 + d - d * v + d * std::log(v)) {
      return std::log(d * v);
    }
  }
}

}  // namespace

double MixUpWeight(double alpha, RandomStream& numbers) {
  const double a = LogGamma(alpha, numbers), b = LogGamma(alpha, numbers);
  return 1 / (1 + std::exp(b - a));
}

Change ChangeOf(const AugmentOptions& options, const ImageSize& size, RandomStream& numbers) {
  Change change;
  switch (options.kind) {
    case AugmentKind::kNone:
      return change;
    case AugmentKind::kCrop:
    case AugmentKind::kCropFlip:
      change.top = static_cast<int64_t>(numbers.Below(2 * options.padding + 1)) - options.padding;
      change.left = static_cast<int64_t>(numbers.Below(2 * options.padding + 1)) - options.padding;
      break;
    case AugmentKind::kResizedCrop:
    case AugmentKind::kResizedCropFlip:
      change.box = RandomBox(options.min_area, size, numbers);
      break;
    case AugmentKind::kFlip:
      break;
  }
  const bool flips = options.kind == AugmentKind::kFlip || options.kind == AugmentKind::kCropFlip ||
                     options.kind == AugmentKind::kResizedCropFlip;
  change.flip = flips && numbers.Below(2) == 1;
  return change;
}

}  // namespace mantissa::engine
