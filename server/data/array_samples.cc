#include "server/data/array_samples.h"

#include <cstring>

#include "base/status.h"

namespace mantissa::data {
namespace {

class ArraySamples : public SampleSource {
 public:
  ArraySamples(std::vector<Column> inputs, Column target)
      : inputs_(std::move(inputs)), target_(std::move(target)) {
    for (const Column& input : inputs_) MANTISSA_CHECK(input.rows == target_.rows);
  }

  int64_t size() const override { return target_.rows; }
  absl::Status ReadInput(int64_t sample, size_t input, absl::Span<char> out) const override {
    Read(inputs_[input], sample, out);
    return absl::OkStatus();
  }
  absl::Status ReadTarget(int64_t sample, absl::Span<char> out) const override {
    Read(target_, sample, out);
    return absl::OkStatus();
  }

 private:
  static void Read(const Column& column, int64_t sample, absl::Span<char> out) {
    if (!out.empty()) {
      std::memcpy(out.data(), column.bytes.data() + sample * column.stride, out.size());
    }
  }

  const std::vector<Column> inputs_;
  const Column target_;
};

}  // namespace

Column MakeColumn(SampleTensor tensor, int64_t rows, std::string bytes) {
  const int64_t stride = tensor.bytes();
  MANTISSA_CHECK(static_cast<int64_t>(bytes.size()) == rows * stride, "column ", tensor.name);
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  return {std::move(tensor), *owner, stride, rows, owner};
}

std::shared_ptr<const SampleSource> MakeArraySamples(std::vector<Column> inputs, Column target) {
  return std::make_shared<ArraySamples>(std::move(inputs), std::move(target));
}

}  // namespace mantissa::data
