#include "server/data/samples.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace mantissa::data {
namespace {

class Selected : public SampleSource {
 public:
  Selected(std::shared_ptr<const SampleSource> all, std::vector<int64_t> chosen)
      : all_(std::move(all)), chosen_(std::move(chosen)) {}

  int64_t size() const override { return static_cast<int64_t>(chosen_.size()); }
  absl::Status ReadInput(int64_t sample, size_t input, absl::Span<char> out) const override {
    return all_->ReadInput(chosen_[sample], input, out);
  }
  absl::Status ReadTarget(int64_t sample, absl::Span<char> out) const override {
    return all_->ReadTarget(chosen_[sample], out);
  }
  bool decodes() const override { return all_->decodes(); }

 private:
  const std::shared_ptr<const SampleSource> all_;
  const std::vector<int64_t> chosen_;
};

class Joined : public SampleSource {
 public:
  explicit Joined(std::vector<std::shared_ptr<const SampleSource>> parts)
      : parts_(std::move(parts)) {
    for (const auto& part : parts_) ends_.push_back(size() + part->size());
  }

  int64_t size() const override { return ends_.empty() ? 0 : ends_.back(); }
  absl::Status ReadInput(int64_t sample, size_t input, absl::Span<char> out) const override {
    const size_t part = PartOf(sample);
    return parts_[part]->ReadInput(sample - BeginOf(part), input, out);
  }
  absl::Status ReadTarget(int64_t sample, absl::Span<char> out) const override {
    const size_t part = PartOf(sample);
    return parts_[part]->ReadTarget(sample - BeginOf(part), out);
  }
  bool decodes() const override {
    return std::any_of(parts_.begin(), parts_.end(),
                       [](const auto& part) { return part->decodes(); });
  }

 private:
  size_t PartOf(int64_t sample) const {
    return std::upper_bound(ends_.begin(), ends_.end(), sample) - ends_.begin();
  }
  int64_t BeginOf(size_t part) const { return part == 0 ? 0 : ends_[part - 1]; }

  const std::vector<std::shared_ptr<const SampleSource>> parts_;
  std::vector<int64_t> ends_;
};

}  // namespace

int64_t BytesOf(ElementType type) {
  switch (type) {
    case ElementType::kUInt8:
      return 1;
    case ElementType::kInt64:
      return 8;
    default:
      return 4;
  }
}

const char* NameOf(ElementType type) {
  switch (type) {
    case ElementType::kUInt8:
      return "uint8";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kFloat32:
      return "float32";
  }
  return "";
}

int64_t SampleTensor::elements() const {
  int64_t elements = 1;
  for (int64_t side : shape) elements *= side;
  return elements;
}

std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

std::shared_ptr<const SampleSource> Select(std::shared_ptr<const SampleSource> all,
                                           std::vector<int64_t> chosen) {
  return std::make_shared<Selected>(std::move(all), std::move(chosen));
}

std::shared_ptr<const SampleSource> Join(std::vector<std::shared_ptr<const SampleSource>> parts) {
  if (parts.size() == 1) return parts[0];
  return std::make_shared<Joined>(std::move(parts));
}

}  // namespace mantissa::data
