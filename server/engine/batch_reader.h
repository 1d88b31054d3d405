// Reads the samples of a batch into memory of the host, changed and normalised.
//
//   BatchReader reader(data, *data.train, {.batch_size = 128, .shuffle = true, .seed = 7});
//   ASSIGN_OR_RETURN(const HostBatch batch, reader.Read(epoch, 0));
//
// Const access from many threads is safe. Throws where memory runs out.
#ifndef MANTISSA_SERVER_ENGINE_BATCH_READER_H_
#define MANTISSA_SERVER_ENGINE_BATCH_READER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/data/dataset.h"
#include "server/data/samples.h"
#include "server/engine/options.h"

namespace mantissa::engine {

// In buffers that no memory ledger knows: what is read ahead is not of the step.
struct HostBatch {
  std::vector<at::Tensor> inputs;
  at::Tensor target;
};

class BatchReader {
 public:
  struct Options {
    int64_t batch_size = 128;
    bool shuffle = false;
    AugmentOptions augment;
    uint64_t seed = 0;
    // A GPU reads such memory by itself while the CPU goes on.
    bool pinned = false;
  };

  // `data` and `samples`, one of its splits, must outlive the reader.
  BatchReader(const data::LoadedDataset& data, const data::SampleSource& samples,
              const Options& options);

  // Images are float32, others as the data have them. REQUIRES: with mix-up, all others are too.
  absl::StatusOr<HostBatch> Read(int epoch, int64_t index) const;

 private:
  using Order = std::shared_ptr<const std::vector<int64_t>>;

  Order OrderOf(int epoch) const;
  // One tensor of a sample, mixed with another where that is asked for. `scratch` is for `read`.
  template <typename Read>
  absl::Status ReadMixed(int epoch, int64_t sample, int64_t bytes, const Read& read,
                         char* out) const;
  absl::Status ReadInput(int epoch, int64_t sample, size_t input, std::vector<char>& scratch,
                         char* out) const;

  const data::LoadedDataset& data_;
  const data::SampleSource& samples_;
  const Options options_;
  std::vector<float> table_;  // [channel][pixel] to its normalised value
  mutable absl::Mutex mutex_;
  mutable int order_epoch_ ABSL_GUARDED_BY(mutex_) = -1;
  mutable Order order_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_BATCH_READER_H_
