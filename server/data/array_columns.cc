#include "server/data/array_columns.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/data/array_samples.h"
#include "server/data/bytes.h"

namespace mantissa::data {
namespace {

ElementType TypeOf(const NpyArray& array) {
  if (array.kind == 'f') return ElementType::kFloat32;
  if (array.kind == 'u' && array.item_size == 1) return ElementType::kUInt8;
  const int bits = array.item_size * 8 + (array.kind == 'u' ? 1 : 0);
  return bits <= 32 ? ElementType::kInt32 : ElementType::kInt64;
}

template <typename T>
std::string BytesOfNumbers(const std::vector<T>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

// The elements as they are kept. Takes the array's bytes where they are that already.
absl::StatusOr<std::string> Elements(NpyArray& array, ElementType type) {
  if (array.item_size == BytesOf(type) && array.kind != 'b') return std::move(array.bytes);
  if (type == ElementType::kFloat32) {
    ASSIGN_OR_RETURN(const std::vector<float> numbers, array.ToFloat());
    return BytesOfNumbers(numbers);
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, array.ToInt64());
  if (type == ElementType::kInt64) return BytesOfNumbers(numbers);
  return BytesOfNumbers(std::vector<int32_t>(numbers.begin(), numbers.end()));
}

absl::Status CheckFinite(absl::string_view name, absl::string_view bytes, int64_t per_sample) {
  for (size_t at = 0; at < bytes.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, bytes.data() + at, sizeof(float));
    if (std::isfinite(value)) continue;
    const int64_t i = static_cast<int64_t>(at / sizeof(float));
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": sample ", i / per_sample, " (from 0) has the value ", value, " at its element ",
        i % per_sample, "; all must be finite. Look for it with isfinite()."));
  }
  return absl::OkStatus();
}

int64_t WholeAt(absl::string_view bytes, ElementType type, int64_t i) {
  int32_t narrow;
  int64_t wide;
  switch (type) {
    case ElementType::kUInt8:
      return static_cast<uint8_t>(bytes[i]);
    case ElementType::kInt32:
      std::memcpy(&narrow, bytes.data() + i * sizeof(narrow), sizeof(narrow));
      return narrow;
    default:
      std::memcpy(&wide, bytes.data() + i * sizeof(wide), sizeof(wide));
      return wide;
  }
}

// [N, H, W, C] to [N, C, H, W], for elements of T.
template <typename T>
std::string ChannelsFirst(absl::string_view in, int64_t samples, int64_t pixels, int64_t channels) {
  std::string out(in.size(), '\0');
  for (int64_t n = 0; n < samples; ++n) {
    const char* from = in.data() + n * pixels * channels * sizeof(T);
    char* to = out.data() + n * pixels * channels * sizeof(T);
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p) {
        std::memcpy(to + (c * pixels + p) * sizeof(T), from + (p * channels + c) * sizeof(T),
                    sizeof(T));
      }
    }
  }
  return out;
}

// Gives images the shape [C, H, W], turning their elements where channels are last.
void ArrangeImages(int64_t samples, SampleTensor& tensor, std::string& bytes) {
  std::vector<int64_t>& shape = tensor.shape;
  const bool pixels = tensor.type == ElementType::kUInt8;
  const bool named = !tensor.is_whole() && absl::StrContains(tensor.name, "image");
  if ((pixels || named) && shape.size() == 2) shape.insert(shape.begin(), 1);
  if (shape.size() != 3 || (!pixels && tensor.type != ElementType::kFloat32)) return;
  const auto is_channels = [](int64_t size) { return size == 1 || size == 3; };
  if (!is_channels(shape[2]) || is_channels(shape[0])) return;
  const int64_t channels = shape[2], count = shape[0] * shape[1];
  shape = {channels, shape[0], shape[1]};
  if (channels == 1) return;
  bytes = pixels ? ChannelsFirst<uint8_t>(bytes, samples, count, channels)
                 : ChannelsFirst<float>(bytes, samples, count, channels);
}

// What inputs and targets have in common: shape, type, elements within the budget.
absl::StatusOr<std::string> Begin(NamedArray& named, Budget& budget, SampleTensor& tensor) {
  NpyArray& array = named.array;
  if (array.shape.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        array.name, ": a single number; the first dimension must count samples. Use reshape()."));
  }
  tensor = {named.name, TypeOf(array), {array.shape.begin() + 1, array.shape.end()}};
  if (array.shape[0] > 0 && tensor.elements() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(array.name, ": samples of shape ",
                                                   ShapeText(tensor.shape),
                                                   " have no elements; every side must be at "
                                                   "least 1."));
  }
  RETURN_IF_ERROR(budget.Take(array.name, CheckedProduct(array.elements(), BytesOf(tensor.type))));
  ASSIGN_OR_RETURN(std::string bytes, Elements(array, tensor.type));
  if (!tensor.is_whole()) {
    RETURN_IF_ERROR(CheckFinite(array.name, bytes, std::max<int64_t>(tensor.elements(), 1)));
  }
  return bytes;
}

absl::StatusOr<Column> InputColumn(NamedArray named, Budget& budget) {
  SampleTensor tensor;
  ASSIGN_OR_RETURN(std::string bytes, Begin(named, budget, tensor));
  const int64_t samples = named.array.shape[0];
  ArrangeImages(samples, tensor, bytes);
  if (tensor.is_whole() && !tensor.is_image()) {
    const int64_t count = static_cast<int64_t>(bytes.size()) / BytesOf(tensor.type);
    int64_t least = 0, most = -1;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t number = WholeAt(bytes, tensor.type, i);
      least = std::min(least, number);
      most = std::max(most, number);
    }
    if (least == 0 && most < INT64_MAX) tensor.classes = most + 1;
  }
  return MakeColumn(std::move(tensor), samples, std::move(bytes));
}

absl::StatusOr<Column> TargetColumn(NamedArray named, int64_t ignore_index, Budget& budget) {
  SampleTensor tensor;
  ASSIGN_OR_RETURN(std::string bytes, Begin(named, budget, tensor));
  if (tensor.is_whole()) {
    if (tensor.shape == std::vector<int64_t>{1}) tensor.shape.clear();
    const int64_t count = static_cast<int64_t>(bytes.size()) / BytesOf(tensor.type);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t label = WholeAt(bytes, tensor.type, i);
      if (label == ignore_index) continue;
      if (label < 0 || label >= kMaxClasses) {
        return absl::InvalidArgumentError(
            absl::StrCat(named.array.name, ": sample ", i / tensor.elements(),
                         " (from 0) has the label ", label, "; allowed 0 to ", kMaxClasses - 1,
                         ", and ", ignore_index, " for none. Number the classes from 0."));
      }
      tensor.classes = std::max(tensor.classes, label + 1);
    }
  }
  return MakeColumn(std::move(tensor), named.array.shape[0], std::move(bytes));
}

}  // namespace

absl::Status Agree(absl::string_view name, const SampleTensor& found, SampleTensor& tensor) {
  if (found.type != tensor.type || found.shape != tensor.shape) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": samples of ", NameOf(found.type), " ", ShapeText(found.shape),
                     ", but those before are of ", NameOf(tensor.type), " ",
                     ShapeText(tensor.shape), ". All must have one type and shape."));
  }
  tensor.classes = std::max(tensor.classes, found.classes);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const SampleSource>> AddArrays(std::vector<NamedArray> inputs,
                                                              NamedArray target,
                                                              ReadContext& context,
                                                              LoadedDataset& dataset) {
  const std::string target_name = target.array.name;
  ASSIGN_OR_RETURN(Column targets,
                   TargetColumn(std::move(target), context.options.ignore_index, context.budget));
  std::vector<Column> columns;
  std::vector<std::string> names;
  for (NamedArray& input : inputs) {
    names.push_back(input.array.name);
    ASSIGN_OR_RETURN(Column column, InputColumn(std::move(input), context.budget));
    if (column.rows != targets.rows) {
      return absl::InvalidArgumentError(
          absl::StrCat(names.back(), ": ", column.rows, " samples, but ", target_name, ": ",
                       targets.rows, " targets. There must be one a sample."));
    }
    columns.push_back(std::move(column));
  }
  const bool first = dataset.inputs.empty();
  for (size_t i = 0; i < columns.size() && targets.rows > 0; ++i) {
    if (first) {
      dataset.inputs.push_back(columns[i].tensor);
    } else {
      RETURN_IF_ERROR(Agree(names[i], columns[i].tensor, dataset.inputs[i]));
    }
  }
  if (targets.rows > 0) {
    if (first) dataset.target = targets.tensor;
    RETURN_IF_ERROR(Agree(target_name, targets.tensor, dataset.target));
  }
  return MakeArraySamples(std::move(columns), std::move(targets));
}

}  // namespace mantissa::data
