#include "server/engine/batches.h"

#include <algorithm>
#include <utility>

#include "ATen/core/Tensor.h"
#include "base/status.h"
#include "server/engine/batch_reader.h"
#include "server/engine/operator_call.h"
#include "server/engine/read_ahead.h"

namespace mantissa::engine {
namespace {

TensorLayout LayoutOf(const planner::Value& value) {
  TensorLayout layout{.type = ScalarTypeOf(value.dtype)};
  for (size_t i = 1; i < value.shape.size(); ++i) layout.shape.push_back(value.shape[i].factor);
  return layout;
}

// Accounted for where it is made (memory_meter.h), unlike the buffers of the readers.
at::Tensor ToDevice(const at::Tensor& host, const TensorLayout& layout, c10::Device device) {
  std::vector<int64_t> sizes = {host.size(0)};
  sizes.insert(sizes.end(), layout.shape.begin(), layout.shape.end());
  return host.view(sizes).to(device, layout.type, /*non_blocking=*/device.is_cuda(),
                             /*copy=*/true);
}

// What comes after a batch: the next epoch is another only where it can be told from the first.
ReadAhead::Options AheadOptions(const BatchOptions& options, int64_t batches) {
  return {.threads = options.threads,
          .batches = batches,
          .epochs_differ = options.shuffle || options.augment.kind != AugmentKind::kNone ||
                           options.augment.mixup_alpha > 0};
}

}  // namespace

BatchLayout LayoutOf(const planner::Graph& graph) {
  BatchLayout layout{.target = LayoutOf(graph.value(graph.target()))};
  for (planner::ValueId input : graph.inputs()) {
    layout.inputs.push_back(LayoutOf(graph.value(input)));
  }
  return layout;
}

BatchLayout LayoutOf(const data::LoadedDataset& data) {
  const auto layout_of = [](const data::SampleTensor& tensor, bool input) {
    return TensorLayout{tensor.is_float(input) ? at::kFloat : at::kLong, tensor.shape};
  };
  BatchLayout layout{.target = layout_of(data.target, false)};
  for (const data::SampleTensor& input : data.inputs) {
    layout.inputs.push_back(layout_of(input, true));
  }
  return layout;
}

BatchSource::BatchSource(const data::LoadedDataset& data, const data::SampleSource& samples,
                         BatchLayout layout, const BatchOptions& options)
    : samples_(samples.size()),
      layout_(std::move(layout)),
      options_(options),
      reader_(
          std::make_unique<BatchReader>(data, samples,
                                        BatchReader::Options{.batch_size = options.batch_size,
                                                             .shuffle = options.shuffle,
                                                             .augment = options.augment,
                                                             .seed = options.seed,
                                                             .pinned = options.device.is_cuda()})) {
  if (options_.threads > 0) {
    ahead_ = std::make_unique<ReadAhead>(
        [this](int epoch, int64_t index) { return reader_->Read(epoch, index); },
        AheadOptions(options_, batches()));
  }
}

BatchSource::~BatchSource() = default;

int64_t BatchSource::batches() const {
  return (samples_ + options_.batch_size - 1) / options_.batch_size;
}

absl::StatusOr<Batch> BatchSource::Load(int epoch, int64_t index) {
  MANTISSA_CHECK(index >= 0 && index < batches(), "batch ", index, " of ", batches());
  ASSIGN_OR_RETURN(const HostBatch host,
                   ahead_ != nullptr ? ahead_->Take(epoch, index) : reader_->Read(epoch, index));
  Batch batch;
  for (size_t i = 0; i < host.inputs.size(); ++i) {
    batch.inputs.push_back(ToDevice(host.inputs[i], layout_.inputs[i], options_.device));
  }
  batch.target = ToDevice(host.target, layout_.target, options_.device);
  return batch;
}

}  // namespace mantissa::engine
