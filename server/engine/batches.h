// Makes batches of tensors from the samples of a data set.
//
//   BatchSource train(data, data.train, {.batch_size = 128, .shuffle = true, .seed = 7});
//   for (int64_t i = 0; i < train.batches(); ++i) Use(train.Load(epoch, i));
//
// uint8 images become (x / 255 - mean) / stddev, each operation in float32; float32 images stay as
// they are. The last batch of an epoch holds what is left, be it fewer samples. Order and changes
// of a sample depend on seed, epoch and sample alone, not on threads. Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_BATCHES_H_
#define MANTISSA_SERVER_ENGINE_BATCHES_H_

#include <cstdint>
#include <vector>

#include "c10/core/Device.h"
#include "server/data/dataset.h"
#include "server/engine/options.h"
#include "server/engine/step.h"

namespace mantissa::engine {

struct BatchOptions {
  int64_t batch_size = 128;
  // A new order each epoch.
  bool shuffle = false;
  // Padding by 4 black pixels (zeros where images are float32) and a random crop; a random flip.
  AugmentKind augment = AugmentKind::kNone;
  uint64_t seed = 0;
  // Where batches are put. To a GPU they are copied without waiting.
  c10::Device device = c10::DeviceType::CPU;
};

class BatchSource {
 public:
  // `data` and `samples`, one of its splits, must outlive the source.
  BatchSource(const data::LoadedDataset& data, const data::Samples& samples,
              const BatchOptions& options);

  int64_t batches() const;  // an epoch
  int64_t samples() const { return samples_.size(); }

  // REQUIRES: 0 <= index < batches().
  Batch Load(int epoch, int64_t index);

 private:
  // How a sample is moved: its pixel (y, x) comes from (y + top, x + left), x counted from the
  // right if flipped.
  struct Change {
    int64_t top = 0, left = 0;
    bool flip = false;
  };
  Change ChangeOf(int epoch, int64_t sample) const;
  void CopySample(int64_t sample, const Change& change, float* out) const;
  template <typename Pixel>
  void CopyChannel(const Pixel* in, int64_t channel, const Change& change, float* out) const;
  float Normalised(uint8_t pixel, int64_t channel) const { return table_[channel * 256 + pixel]; }
  float Normalised(float pixel, int64_t) const { return pixel; }

  const data::LoadedDataset& data_;
  const data::Samples& samples_;
  const BatchOptions options_;
  std::vector<float> table_;  // [channel][pixel]; empty for float32 images
  int order_epoch_ = -1;
  std::vector<int64_t> order_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_BATCHES_H_
