#include "server/data/array_samples.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "server/data/bytes.h"

namespace mantissa::data {
namespace {

struct Layout {
  int64_t channels, height, width;
  bool channels_last;
};

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

absl::StatusOr<Layout> LayoutOf(const NpyArray& images) {
  const std::vector<int64_t>& shape = images.shape;
  if (shape.size() == 3) return Layout{1, shape[1], shape[2], false};
  if (shape.size() == 4) {
    auto is_image_channels = [](int64_t size) { return size == 1 || size == 3; };
    if (is_image_channels(shape[3]) && !is_image_channels(shape[1])) {
      return Layout{shape[3], shape[1], shape[2], true};
    }
    return Layout{shape[1], shape[2], shape[3], false};
  }
  return absl::InvalidArgumentError(
      absl::StrCat(images.name, ": images of shape ", ShapeText(shape),
                   "; allowed [N, H, W], [N, C, H, W] and [N, H, W, C]. Use reshape()."));
}

absl::StatusOr<std::vector<int64_t>> LabelsOf(const NpyArray& labels) {
  bool column = labels.shape.size() == 2 && labels.shape[1] == 1;
  if (labels.shape.size() != 1 && !column) {
    return absl::InvalidArgumentError(absl::StrCat(
        labels.name, ": labels of shape ", ShapeText(labels.shape),
        "; allowed [N] and [N, 1], one class number a sample. Turn one-hot labels into numbers "
        "with argmax(1)."));
  }
  ASSIGN_OR_RETURN(std::vector<int64_t> numbers, labels.ToInt64());
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] >= 0 && numbers[i] < kMaxClasses) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(labels.name, ": sample ", i, " (from 0) has the label ", numbers[i],
                     "; allowed 0 to ", kMaxClasses - 1, ". Number the classes from 0."));
  }
  return numbers;
}

// [N, H, W, C] to [N, C, H, W].
template <typename T>
std::vector<T> ChannelsFirst(std::vector<T> in, int64_t samples, const Layout& layout) {
  if (!layout.channels_last || layout.channels == 1) return in;
  std::vector<T> out(in.size());
  int64_t pixels = layout.height * layout.width;
  for (int64_t n = 0; n < samples; ++n) {
    const T* from = in.data() + n * pixels * layout.channels;
    T* to = out.data() + n * pixels * layout.channels;
    for (int64_t c = 0; c < layout.channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p) to[c * pixels + p] = from[p * layout.channels + c];
    }
  }
  return out;
}

absl::Status CheckShape(const NpyArray& images, const Layout& layout, LoadedDataset& dataset) {
  if (layout.channels < 1 || layout.height < 1 || layout.width < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(images.name, ": images of shape ", ShapeText(images.shape),
                     " have no pixels; every side must be at least 1."));
  }
  if (dataset.channels == 0) {
    dataset.channels = layout.channels;
    dataset.height = layout.height;
    dataset.width = layout.width;
    return absl::OkStatus();
  }
  if (dataset.channels == layout.channels && dataset.height == layout.height &&
      dataset.width == layout.width) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      images.name, ": images of ", layout.channels, "x", layout.height, "x", layout.width,
      " (channels, height, width), but those before have ", dataset.channels, "x", dataset.height,
      "x", dataset.width, ". All images must have one size."));
}

absl::Status CopyImages(const NpyArray& images, const Layout& layout, Samples& samples) {
  if (images.kind == 'u' && images.item_size == 1) {
    std::vector<uint8_t> pixels(images.bytes.begin(), images.bytes.end());
    samples.images_u8 = ChannelsFirst(std::move(pixels), images.shape[0], layout);
    return absl::OkStatus();
  }
  if (images.kind != 'f') {
    return absl::InvalidArgumentError(
        absl::StrCat(images.name, ": images of type ", images.dtype(),
                     "; allowed uint8 (0 to 255) and float32. Convert them with astype('uint8')."));
  }
  ASSIGN_OR_RETURN(std::vector<float> pixels, images.ToFloat());
  int64_t per_sample = layout.channels * layout.height * layout.width;
  for (size_t i = 0; i < pixels.size(); ++i) {
    if (!std::isfinite(pixels[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat(images.name, ": image ", i / per_sample, " (from 0) has the value ",
                       pixels[i], " at its element ", i % per_sample,
                       "; all must be finite. Look for it with isfinite()."));
    }
  }
  samples.images_f32 = ChannelsFirst(std::move(pixels), images.shape[0], layout);
  return absl::OkStatus();
}

}  // namespace

absl::Status AddSamples(const NpyArray& images, const NpyArray& labels, Budget& budget,
                        LoadedDataset& dataset, Samples& samples) {
  ASSIGN_OR_RETURN(Layout layout, LayoutOf(images));
  ASSIGN_OR_RETURN(samples.labels, LabelsOf(labels));
  if (images.shape[0] != labels.shape[0]) {
    return absl::InvalidArgumentError(
        absl::StrCat(images.name, ": ", images.shape[0], " images, but ", labels.name, ": ",
                     labels.shape[0], " labels. There must be one label an image."));
  }
  if (images.shape[0] == 0) return absl::OkStatus();
  RETURN_IF_ERROR(CheckShape(images, layout, dataset));
  int64_t item = images.kind == 'f' ? static_cast<int64_t>(sizeof(float)) : 1;
  RETURN_IF_ERROR(budget.Take(images.name, CheckedProduct(images.elements(), item)));
  return CopyImages(images, layout, samples);
}

}  // namespace mantissa::data
