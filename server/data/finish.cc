#include "server/data/finish.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/random.h"
#include "base/status.h"
#include "server/data/parallel.h"

namespace mantissa::data {
namespace {

// Number of the random stream that the split takes of its seed.
constexpr uint64_t kSplitStream = 0x73706c6974;
// Most images that statistics are taken of where each must be decoded for it.
constexpr int64_t kStatisticsImages = 4096;

absl::Status CheckClasses(const LoadedDataset& dataset) {
  const bool class_numbers = dataset.target.is_whole() && dataset.target.shape.empty();
  if (class_numbers && dataset.target.classes < 2) {
    return absl::InvalidArgumentError(
        "the data set has one class only; training needs at least 2. Check the labels.");
  }
  return absl::OkStatus();
}

absl::Status SplitBySeed(const LoadOptions& options, LoadedDataset& dataset) {
  if (!(options.test_fraction > 0 && options.test_fraction < 1)) {
    return InvalidField("test_fraction", absl::StrCat(options.test_fraction),
                        "0.0 to 1.0, both excluded", "Use 0.2 to test on a fifth of the samples.");
  }
  const int64_t count = dataset.train->size();
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
  dataset.test = Select(dataset.train, std::move(test));
  dataset.train = Select(dataset.train, std::move(train));
  return absl::OkStatus();
}

// Index of the first input that is images; inputs.size() where none is.
size_t FirstImages(const LoadedDataset& dataset) {
  size_t i = 0;
  while (i < dataset.inputs.size() && !dataset.inputs[i].is_image()) ++i;
  return i;
}

absl::Status CheckGivenStatistics(const LoadOptions& options, const SampleTensor* images) {
  if (images == nullptr) {
    return InvalidField("mean", absl::StrCat(options.mean.size(), " values"), "none",
                        "Only uint8 images are normalised, other samples are taken as they are: "
                        "leave mean and stddev out.");
  }
  const auto channels = static_cast<size_t>(images->shape[0]);
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

struct Sums {
  uint64_t sum = 0, squares = 0;
};

// Of the pixels of some samples spread over all, by channel.
absl::StatusOr<std::vector<Sums>> SumPixels(const SampleSource& samples, size_t input,
                                            const SampleTensor& images, int64_t count,
                                            int threads) {
  const int64_t plane = images.shape[1] * images.shape[2];
  std::vector<Sums> sums(images.shape[0]);
  absl::Mutex mutex;
  RETURN_IF_ERROR(ParallelFor(count, threads, [&](int64_t i) -> absl::Status {
    std::vector<char> pixels(images.bytes());
    RETURN_IF_ERROR(samples.ReadInput(i * samples.size() / count, input, absl::MakeSpan(pixels)));
    std::vector<Sums> own(sums.size());
    for (size_t c = 0; c < own.size(); ++c) {
      for (int64_t p = 0; p < plane; ++p) {
        const uint64_t pixel = static_cast<uint8_t>(pixels[c * plane + p]);
        own[c].sum += pixel;
        own[c].squares += pixel * pixel;
      }
    }
    absl::MutexLock lock(&mutex);
    for (size_t c = 0; c < own.size(); ++c) {
      sums[c].sum += own[c].sum;
      sums[c].squares += own[c].squares;
    }
    return absl::OkStatus();
  }));
  return sums;
}

// Of value/255, by channel; a deviation of 0 becomes 1. The sums are of whole numbers, hence exact.
absl::Status TakeStatistics(const LoadOptions& options, size_t input, LoadedDataset& dataset) {
  const SampleTensor& images = dataset.inputs[input];
  const SampleSource& train = *dataset.train;
  const int64_t samples =
      train.decodes() ? std::min(train.size(), kStatisticsImages) : train.size();
  ASSIGN_OR_RETURN(const std::vector<Sums> all,
                   SumPixels(train, input, images, samples, options.threads));
  const int64_t count = samples * images.shape[1] * images.shape[2];
  for (const Sums& sums : all) {
    // Squares of count times 255 * 255 * count stay far below 2^128.
    const unsigned __int128 scaled_variance = static_cast<unsigned __int128>(count) * sums.squares -
                                              static_cast<unsigned __int128>(sums.sum) * sums.sum;
    const double mean = static_cast<double>(sums.sum) / static_cast<double>(count);
    const double stddev =
        std::sqrt(static_cast<double>(scaled_variance)) / static_cast<double>(count) / 255;
    dataset.mean.push_back(static_cast<float>(mean / 255));
    dataset.stddev.push_back(scaled_variance > 0 ? static_cast<float>(stddev) : 1.0f);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FinishDataset(const LoadOptions& options, LoadedDataset& dataset) {
  if (dataset.train->size() == 0) {
    return absl::InvalidArgumentError(
        "the data set is empty: it has no sample to train on. Check the files before pushing.");
  }
  RETURN_IF_ERROR(CheckClasses(dataset));
  if (dataset.test == nullptr || dataset.test->size() == 0) {
    RETURN_IF_ERROR(SplitBySeed(options, dataset));
  }
  const size_t input = FirstImages(dataset);
  const SampleTensor* images = input < dataset.inputs.size() ? &dataset.inputs[input] : nullptr;
  for (const SampleTensor& other : dataset.inputs) {
    if (!other.is_image() || other.shape[0] == images->shape[0]) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the images of ", other.name, " have ", other.shape[0], " channels, those of ",
                     images->name, " ", images->shape[0],
                     "; all are normalised by the same numbers. Use float32 for one of them."));
  }
  if (!options.mean.empty() || !options.stddev.empty()) {
    RETURN_IF_ERROR(CheckGivenStatistics(options, images));
    dataset.mean = options.mean;
    dataset.stddev = options.stddev;
  } else if (images != nullptr) {
    RETURN_IF_ERROR(TakeStatistics(options, input, dataset));
  }
  return absl::OkStatus();
}

}  // namespace mantissa::data
