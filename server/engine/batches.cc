#include "server/engine/batches.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "ATen/Parallel.h"
#include "ATen/ops/empty.h"
#include "base/random.h"
#include "base/status.h"
#include "server/engine/random_streams.h"

namespace mantissa::engine {
namespace {

constexpr int kPadding = 4;
constexpr int kPixelValues = 256;

// (x / 255 - mean) / stddev of every uint8, each operation rounded to float32.
std::vector<float> NormalisationTable(const std::vector<float>& mean,
                                      const std::vector<float>& stddev) {
  std::vector<float> table(mean.size() * kPixelValues);
  for (size_t channel = 0; channel < mean.size(); ++channel) {
    for (int pixel = 0; pixel < kPixelValues; ++pixel) {
      const float scaled = static_cast<float>(pixel) / 255.0f;
      const float centred = scaled - mean[channel];
      table[channel * kPixelValues + pixel] = centred / stddev[channel];
    }
  }
  return table;
}

}  // namespace

BatchSource::BatchSource(const data::LoadedDataset& data, const data::Samples& samples,
                         const BatchOptions& options)
    : data_(data), samples_(samples), options_(options), order_(samples.size()) {
  if (!samples.images_u8.empty()) table_ = NormalisationTable(data.mean, data.stddev);
  std::iota(order_.begin(), order_.end(), 0);
}

int64_t BatchSource::batches() const {
  return (samples_.size() + options_.batch_size - 1) / options_.batch_size;
}

BatchSource::Change BatchSource::ChangeOf(int epoch, int64_t sample) const {
  Change change;
  if (options_.augment == AugmentKind::kNone) return change;
  RandomStream numbers(options_.seed, AugmentStream(epoch, sample));
  change.top = static_cast<int64_t>(numbers.Below(2 * kPadding + 1)) - kPadding;
  change.left = static_cast<int64_t>(numbers.Below(2 * kPadding + 1)) - kPadding;
  change.flip = options_.augment == AugmentKind::kCropFlip && numbers.Below(2) == 1;
  return change;
}

template <typename Pixel>
void BatchSource::CopyChannel(const Pixel* in, int64_t channel, const Change& change,
                              float* out) const {
  const int64_t height = data_.height, width = data_.width;
  const float padding = Normalised(Pixel{0}, channel);
  for (int64_t y = 0; y < height; ++y) {
    const int64_t from_y = y + change.top;
    const bool inside_y = from_y >= 0 && from_y < height;
    for (int64_t x = 0; x < width; ++x) {
      const int64_t from_x = (change.flip ? width - 1 - x : x) + change.left;
      const bool inside = inside_y && from_x >= 0 && from_x < width;
      out[y * width + x] = inside ? Normalised(in[from_y * width + from_x], channel) : padding;
    }
  }
}

void BatchSource::CopySample(int64_t sample, const Change& change, float* out) const {
  const int64_t channel_size = data_.height * data_.width;
  for (int64_t channel = 0; channel < data_.channels; ++channel) {
    const int64_t offset = (sample * data_.channels + channel) * channel_size;
    float* const to = out + channel * channel_size;
    if (table_.empty()) {
      CopyChannel(samples_.images_f32.data() + offset, channel, change, to);
    } else {
      CopyChannel(samples_.images_u8.data() + offset, channel, change, to);
    }
  }
}

Batch BatchSource::Load(int epoch, int64_t index) {
  MANTISSA_CHECK(index >= 0 && index < batches(), "batch ", index, " of ", batches());
  if (options_.shuffle && order_epoch_ != epoch) {
    order_ = RandomStream(options_.seed, ShuffleStream(epoch)).Permutation(samples_.size());
    order_epoch_ = epoch;
  }
  const int64_t begin = index * options_.batch_size;
  const int64_t count = std::min(options_.batch_size, samples_.size() - begin);
  // A GPU reads pinned memory by itself while the CPU goes on.
  const at::TensorOptions host = at::TensorOptions().pinned_memory(options_.device.is_cuda());
  Batch batch{.images = at::empty({count, data_.channels, data_.height, data_.width},
                                  host.dtype(at::kFloat)),
              .labels = at::empty({count}, host.dtype(at::kLong))};
  float* const images = batch.images.mutable_data_ptr<float>();
  int64_t* const labels = batch.labels.mutable_data_ptr<int64_t>();
  const int64_t sample_size = data_.channels * data_.height * data_.width;
  at::parallel_for(0, count, /*grain_size=*/16, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t sample = order_[begin + i];
      labels[i] = samples_.labels[sample];
      CopySample(sample, ChangeOf(epoch, sample), images + i * sample_size);
    }
  });
  if (options_.device.is_cuda()) {
    batch.images = batch.images.to(options_.device, /*non_blocking=*/true);
    batch.labels = batch.labels.to(options_.device, /*non_blocking=*/true);
  }
  return batch;
}

}  // namespace mantissa::engine
