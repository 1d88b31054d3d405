#include "server/data/finish.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status.h"

namespace mantissa::data {
namespace {

// Number of the random stream that the split takes of its seed.
constexpr uint64_t kSplitStream = 0x73706c6974;

absl::Status FindClasses(LoadedDataset& dataset) {
  if (dataset.classes == 0) {
    for (const Samples* samples : {&dataset.train, &dataset.test}) {
      for (int64_t label : samples->labels) dataset.classes = std::max(dataset.classes, label + 1);
    }
  }
  if (dataset.classes < 2) {
    return absl::InvalidArgumentError(
        "the data set has one class only; training needs at least 2. Check the labels.");
  }
  return absl::OkStatus();
}

template <typename T>
std::vector<T> Pick(const std::vector<T>& all, const std::vector<int64_t>& chosen, int64_t size) {
  std::vector<T> out;
  if (all.empty()) return out;
  out.reserve(chosen.size() * size);
  for (int64_t i : chosen) {
    out.insert(out.end(), all.begin() + i * size, all.begin() + (i + 1) * size);
  }
  return out;
}

Samples PickSamples(const Samples& all, const std::vector<int64_t>& chosen, int64_t image_size) {
  return {.images_u8 = Pick(all.images_u8, chosen, image_size),
          .images_f32 = Pick(all.images_f32, chosen, image_size),
          .labels = Pick(all.labels, chosen, 1)};
}

absl::Status SplitBySeed(const LoadOptions& options, LoadedDataset& dataset) {
  if (!(options.test_fraction > 0 && options.test_fraction < 1)) {
    return InvalidField("test_fraction", absl::StrCat(options.test_fraction),
                        "0.0 to 1.0, both excluded", "Use 0.2 to test on a fifth of the samples.");
  }
  const int64_t count = dataset.train.size();
  if (count < 2) {
    return absl::InvalidArgumentError(
        "the data set has one sample only; with no split of its own it needs at least 2, one to "
        "train and one to test on.");
  }
  const double wanted = std::round(options.test_fraction * static_cast<double>(count));
  const int64_t tested = std::clamp<int64_t>(static_cast<int64_t>(wanted), 1, count - 1);
  std::vector<int64_t> order = RandomStream(options.split_seed, kSplitStream).Permutation(count);
  std::vector<int64_t> test(order.begin(), order.begin() + tested);
  std::vector<int64_t> train(order.begin() + tested, order.end());
  // The order of the files stays.
  std::sort(test.begin(), test.end());
  std::sort(train.begin(), train.end());
  const int64_t size = dataset.channels * dataset.height * dataset.width;
  dataset.test = PickSamples(dataset.train, test, size);
  dataset.train = PickSamples(dataset.train, train, size);
  return absl::OkStatus();
}

absl::Status CheckGivenStatistics(const LoadOptions& options, const LoadedDataset& dataset) {
  const size_t channels = static_cast<size_t>(dataset.channels);
  if (!dataset.train.images_f32.empty()) {
    return InvalidField("mean", absl::StrCat(options.mean.size(), " values"), "none",
                        "Floating-point images are taken as they are: leave mean and stddev out.");
  }
  if (options.mean.size() != channels) {
    return InvalidField("mean", absl::StrCat(options.mean.size(), " values"),
                        absl::StrCat(channels, ", one a channel"), "Give one value a channel.");
  }
  if (options.stddev.size() != channels) {
    return InvalidField("stddev", absl::StrCat(options.stddev.size(), " values"),
                        absl::StrCat(channels, ", one a channel"), "Give one value a channel.");
  }
  for (float mean : options.mean) {
    if (!std::isfinite(mean)) {
      return InvalidField("mean", absl::StrCat(mean), "finite numbers", "Use about 0.5.");
    }
  }
  for (float stddev : options.stddev) {
    if (!std::isfinite(stddev) || stddev <= 0) {
      return InvalidField("stddev", absl::StrCat(stddev), "finite numbers above 0",
                          "Use about 0.25.");
    }
  }
  return absl::OkStatus();
}

// Of value/255 over all training images, by channel; a deviation of 0 becomes 1. The sums are of
// whole numbers, hence exact.
void TakeStatistics(LoadedDataset& dataset) {
  const int64_t plane = dataset.height * dataset.width;
  const int64_t count = dataset.train.size() * plane;
  const std::vector<uint8_t>& images = dataset.train.images_u8;
  for (int64_t c = 0; c < dataset.channels; ++c) {
    uint64_t sum = 0, sum_of_squares = 0;
    for (int64_t n = 0; n < dataset.train.size(); ++n) {
      const uint8_t* pixels = images.data() + (n * dataset.channels + c) * plane;
      for (int64_t p = 0; p < plane; ++p) {
        sum += pixels[p];
        sum_of_squares += uint64_t{pixels[p]} * pixels[p];
      }
    }
    // Squares of count times 255 * 255 * count stay far below 2^128.
    const unsigned __int128 scaled_variance =
        static_cast<unsigned __int128>(count) * sum_of_squares -
        static_cast<unsigned __int128>(sum) * sum;
    const double mean = static_cast<double>(sum) / static_cast<double>(count);
    const double stddev =
        std::sqrt(static_cast<double>(scaled_variance)) / static_cast<double>(count) / 255;
    dataset.mean.push_back(static_cast<float>(mean / 255));
    dataset.stddev.push_back(scaled_variance > 0 ? static_cast<float>(stddev) : 1.0f);
  }
}

}  // namespace

absl::Status FinishDataset(const LoadOptions& options, LoadedDataset& dataset) {
  if (dataset.train.size() == 0) {
    return absl::InvalidArgumentError(
        "the data set is empty: it has no sample to train on. Check the files before pushing.");
  }
  RETURN_IF_ERROR(FindClasses(dataset));
  if (dataset.test.size() == 0) RETURN_IF_ERROR(SplitBySeed(options, dataset));
  if (dataset.train.images_u8.empty() != dataset.test.images_u8.empty()) {
    return absl::InvalidArgumentError(
        "the images to train on and those to test on have different types. Use uint8 or float32 "
        "for both.");
  }
  if (!options.mean.empty() || !options.stddev.empty()) {
    RETURN_IF_ERROR(CheckGivenStatistics(options, dataset));
    dataset.mean = options.mean;
    dataset.stddev = options.stddev;
  } else if (!dataset.train.images_u8.empty()) {
    TakeStatistics(dataset);
  }
  return absl::OkStatus();
}

}  // namespace mantissa::data
