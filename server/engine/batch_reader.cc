#include "server/engine/batch_reader.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ATen/ops/empty.h"
#include "ATen/ops/from_blob.h"
#include "base/random.h"
#include "base/status.h"
#include "server/engine/augment.h"
#include "server/engine/random_streams.h"

namespace mantissa::engine {
namespace {

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

at::ScalarType TypeOf(data::ElementType type) {
  switch (type) {
    case data::ElementType::kUInt8:
      return at::kByte;
    case data::ElementType::kInt32:
      return at::kInt;
    case data::ElementType::kInt64:
      return at::kLong;
    default:
      return at::kFloat;
  }
}

at::Tensor MakeBuffer(int64_t count, const data::SampleTensor& tensor, at::ScalarType type,
                      bool pinned) {
  std::vector<int64_t> sizes = {count};
  sizes.insert(sizes.end(), tensor.shape.begin(), tensor.shape.end());
  if (pinned) return at::empty(sizes, at::TensorOptions(type).pinned_memory(true));
  const size_t bytes = count * tensor.elements() * at::elementSize(type);
  char* const memory = new char[bytes];
  return at::from_blob(
      memory, sizes, [memory](void*) { delete[] memory; }, at::TensorOptions(type));
}

// Whether augmentation changes an input.
bool IsPicture(const data::SampleTensor& tensor) {
  return tensor.is_image() || (!tensor.is_whole() && tensor.shape.size() == 3);
}

}  // namespace

BatchReader::BatchReader(const data::LoadedDataset& data, const data::SampleSource& samples,
                         const Options& options)
    : data_(data),
      samples_(samples),
      options_(options),
      table_(NormalisationTable(data.mean, data.stddev)) {
  if (options_.shuffle) return;
  std::vector<int64_t> order(samples.size());
  std::iota(order.begin(), order.end(), 0);
  order_ = std::make_shared<const std::vector<int64_t>>(std::move(order));
}

BatchReader::Order BatchReader::OrderOf(int epoch) const {
  absl::MutexLock lock(&mutex_);
  if (options_.shuffle && order_epoch_ != epoch) {
    order_ = std::make_shared<const std::vector<int64_t>>(
        RandomStream(options_.seed, ShuffleStream(epoch)).Permutation(samples_.size()));
    order_epoch_ = epoch;
  }
  return order_;
}

absl::Status BatchReader::ReadInput(int epoch, int64_t sample, size_t input,
                                    std::vector<char>& scratch, char* out) const {
  const data::SampleTensor& tensor = data_.inputs[input];
  const bool changed = options_.augment.kind != AugmentKind::kNone && IsPicture(tensor);
  if (!changed && !tensor.is_image()) {
    return samples_.ReadInput(sample, input, absl::MakeSpan(out, tensor.bytes()));
  }
  scratch.resize(tensor.bytes());
  RETURN_IF_ERROR(samples_.ReadInput(sample, input, absl::MakeSpan(scratch)));
  const ImageSize size = {tensor.shape[0], tensor.shape[1], tensor.shape[2]};
  // The same for every picture of a sample.
  RandomStream numbers(options_.seed, AugmentStream(epoch, sample));
  const Change change = changed ? ChangeOf(options_.augment, size, numbers) : Change{};
  float* const to = reinterpret_cast<float*>(out);
  if (tensor.is_image()) {
    std::vector<uint8_t> cut;
    const auto normalised = [this](int64_t channel, uint8_t pixel) {
      return table_[channel * kPixelValues + pixel];
    };
    ApplyChange(reinterpret_cast<const uint8_t*>(scratch.data()), size, change, normalised, cut,
                to);
  } else {
    std::vector<float> cut;
    ApplyChange(
        reinterpret_cast<const float*>(scratch.data()), size, change,
        [](int64_t, float pixel) { return pixel; }, cut, to);
  }
  return absl::OkStatus();
}

template <typename ReadSample>
absl::Status BatchReader::ReadMixed(int epoch, int64_t sample, int64_t bytes,
                                    const ReadSample& read, char* out) const {
  RETURN_IF_ERROR(read(sample, out));
  if (options_.augment.mixup_alpha <= 0) return absl::OkStatus();
  // The same for all tensors of the sample.
  RandomStream numbers(options_.seed, MixUpStream(epoch, sample));
  const auto other = static_cast<int64_t>(numbers.Below(samples_.size()));
  const auto weight = static_cast<float>(MixUpWeight(options_.augment.mixup_alpha, numbers));
  std::vector<float> values(bytes / sizeof(float));
  RETURN_IF_ERROR(read(other, reinterpret_cast<char*>(values.data())));
  float* const to = reinterpret_cast<float*>(out);
  for (size_t i = 0; i < values.size(); ++i) to[i] = weight * to[i] + (1 - weight) * values[i];
  return absl::OkStatus();
}

absl::StatusOr<HostBatch> BatchReader::Read(int epoch, int64_t index) const {
  const Order order = OrderOf(epoch);
  const int64_t begin = index * options_.batch_size;
  const int64_t count = std::min(options_.batch_size, samples_.size() - begin);
  HostBatch batch;
  std::vector<char> scratch;
  for (size_t input = 0; input < data_.inputs.size(); ++input) {
    const data::SampleTensor& tensor = data_.inputs[input];
    const at::ScalarType type = tensor.is_image() ? at::kFloat : TypeOf(tensor.type);
    at::Tensor buffer = MakeBuffer(count, tensor, type, options_.pinned);
    char* out = static_cast<char*>(buffer.mutable_data_ptr());
    const int64_t bytes = tensor.elements() * buffer.element_size();
    const auto read = [&](int64_t sample, char* to) {
      return ReadInput(epoch, sample, input, scratch, to);
    };
    for (int64_t i = 0; i < count; ++i) {
      RETURN_IF_ERROR(ReadMixed(epoch, (*order)[begin + i], bytes, read, out + i * bytes));
    }
    batch.inputs.push_back(std::move(buffer));
  }
  batch.target = MakeBuffer(count, data_.target, TypeOf(data_.target.type), options_.pinned);
  char* out = static_cast<char*>(batch.target.mutable_data_ptr());
  const int64_t bytes = data_.target.bytes();
  const auto read = [&](int64_t sample, char* to) {
    return samples_.ReadTarget(sample, absl::MakeSpan(to, bytes));
  };
  for (int64_t i = 0; i < count; ++i) {
    RETURN_IF_ERROR(ReadMixed(epoch, (*order)[begin + i], bytes, read, out + i * bytes));
  }
  return batch;
}

}  // namespace mantissa::engine
