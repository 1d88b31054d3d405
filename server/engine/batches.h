// Makes batches of tensors from the samples of a data set.
//
//   BatchSource train(data, *data.train, {.batch_size = 128, .shuffle = true, .seed = 7});
//   for (int64_t i = 0; i < train.batches(); ++i) {
//     ASSIGN_OR_RETURN(Batch batch, train.Load(epoch, i));
//   }
//
// uint8 images become (x / 255 - mean) / stddev, each operation in float32; other samples stay as
// they are. The last batch of an epoch holds what is left, be it fewer samples. Order and changes
// of a sample depend on seed, epoch and sample alone, not on threads. Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_BATCHES_H_
#define MANTISSA_SERVER_ENGINE_BATCHES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "c10/core/Device.h"
#include "c10/core/ScalarType.h"
#include "planner/graph/graph.h"
#include "server/data/dataset.h"
#include "server/data/samples.h"
#include "server/engine/options.h"
#include "server/engine/step.h"

namespace mantissa::engine {

// A tensor of a batch as a model takes it, without the batch.
struct TensorLayout {
  c10::ScalarType type = c10::ScalarType::Float;
  std::vector<int64_t> shape;
};

struct BatchLayout {
  std::vector<TensorLayout> inputs;
  TensorLayout target;
};

// Of the graph's inputs and target. REQUIRES: the data fit them (fit.h).
BatchLayout LayoutOf(const planner::Graph& graph);
// As the data have them: float32 where it is that or an image, else int64.
BatchLayout LayoutOf(const data::LoadedDataset& data);

struct BatchOptions {
  int64_t batch_size = 128;
  // A new order each epoch.
  bool shuffle = false;
  // Of inputs that are images, uint8 or float32 [C, H, W].
  AugmentOptions augment;
  uint64_t seed = 0;
  // Where batches are put. To a GPU they are copied without waiting.
  c10::Device device = c10::DeviceType::CPU;
  // Threads that read ahead of Load(); 0: Load() reads itself.
  int threads = 0;
};

class BatchReader;
class ReadAhead;

class BatchSource {
 public:
  // `data` and `samples`, one of its splits, must outlive the source.
  BatchSource(const data::LoadedDataset& data, const data::SampleSource& samples,
              const BatchOptions& options)
      : BatchSource(data, samples, LayoutOf(data), options) {}
  BatchSource(const data::LoadedDataset& data, const data::SampleSource& samples,
              BatchLayout layout, const BatchOptions& options);
  ~BatchSource();

  int64_t batches() const;  // an epoch
  int64_t samples() const { return samples_; }

  // InvalidArgument names the file of a sample that can't be decoded. REQUIRES: 0 <= index <
  // batches().
  absl::StatusOr<Batch> Load(int epoch, int64_t index);

 private:
  const int64_t samples_;
  const BatchLayout layout_;
  const BatchOptions options_;
  std::unique_ptr<const BatchReader> reader_;
  std::unique_ptr<ReadAhead> ahead_;  // stops before the reader goes
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_BATCHES_H_
