#include "server/data/encoded_images.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/status.h"
#include "server/data/array_samples.h"
#include "server/data/bytes.h"
#include "server/data/image.h"
#include "server/data/parallel.h"
#include "server/data/samples.h"

namespace mantissa::data {
namespace {

absl::Status Decode(const EncodedImage& image, const ImageShape& shape, char* out) {
  return DecodeImage({image.name, image.bytes}, image.info, shape,
                     absl::MakeSpan(reinterpret_cast<uint8_t*>(out), shape.elements()));
}

class EncodedImages : public SampleSource {
 public:
  EncodedImages(std::vector<EncodedImage> images, const ImageShape& shape,
                std::shared_ptr<const void> owner)
      : images_(std::move(images)), shape_(shape), owner_(std::move(owner)) {}

  int64_t size() const override { return static_cast<int64_t>(images_.size()); }
  absl::Status ReadInput(int64_t sample, size_t, absl::Span<char> out) const override {
    return Decode(images_[sample], shape_, out.data());
  }
  absl::Status ReadTarget(int64_t sample, absl::Span<char> out) const override {
    std::memcpy(out.data(), &images_[sample].label, out.size());
    return absl::OkStatus();
  }
  bool decodes() const override { return true; }

 private:
  const std::vector<EncodedImage> images_;
  const ImageShape shape_;
  const std::shared_ptr<const void> owner_;  // of the images' bytes
};

// Reads all headers.
absl::StatusOr<ImageShape> ShapeOfAll(std::vector<LabelledImage>& images,
                                      const LoadOptions& options) {
  ImageShape shape{.height = options.image_height, .width = options.image_width};
  const EncodedImage& first = images[0].image;
  for (LabelledImage& labelled : images) {
    EncodedImage& image = labelled.image;
    ASSIGN_OR_RETURN(image.info, ReadImageInfo({image.name, image.bytes}));
    shape.channels = std::max(shape.channels, image.info.channels);
    if (options.image_height > 0) continue;
    if (image.info.width != first.info.width || image.info.height != first.info.height) {
      return absl::InvalidArgumentError(absl::StrCat(
          image.name, ": ", image.info.width, "x", image.info.height, " pixels, but ", first.name,
          " has ", first.info.width, "x", first.info.height,
          ". All images must have one size: scale or crop them before, or give an image size."));
    }
  }
  if (options.image_height == 0) {
    shape.height = first.info.height;
    shape.width = first.info.width;
  }
  return shape;
}

// Decodes them, if they are to be kept.
absl::StatusOr<std::shared_ptr<const SampleSource>> MakeSamples(std::vector<EncodedImage> images,
                                                                const ImageShape& shape, bool keep,
                                                                const LoadedDataset& dataset,
                                                                ReadContext& context) {
  if (!keep) return std::make_shared<EncodedImages>(std::move(images), shape, context.owner);
  const auto count = static_cast<int64_t>(images.size());
  std::string pixels(shape.elements() * count, '\0');
  RETURN_IF_ERROR(ParallelFor(count, context.options.threads, [&](int64_t i) {
    return Decode(images[i], shape, pixels.data() + i * shape.elements());
  }));
  std::string labels(dataset.target.bytes() * count, '\0');
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(labels.data() + i * dataset.target.bytes(), &images[i].label,
                dataset.target.bytes());
  }
  return MakeArraySamples({MakeColumn(dataset.inputs[0], count, std::move(pixels))},
                          MakeColumn(dataset.target, count, std::move(labels)));
}

}  // namespace

absl::Status AddImages(std::vector<LabelledImage> images, int64_t classes, ReadContext& context,
                       LoadedDataset& dataset) {
  ImageShape shape;
  if (!images.empty()) {
    ASSIGN_OR_RETURN(shape, ShapeOfAll(images, context.options));
  }
  dataset.inputs = {{"x", ElementType::kUInt8, {shape.channels, shape.height, shape.width}}};
  dataset.target = {"y", ElementType::kInt64, {}, classes};
  const std::optional<int64_t> all =
      CheckedProduct(shape.elements(), static_cast<int64_t>(images.size()));
  const bool keep =
      all && *all <= std::min(context.options.keep_decoded_bytes, context.budget.left());
  if (keep) RETURN_IF_ERROR(context.budget.Take("the images", all));
  std::vector<EncodedImage> train, test;
  for (LabelledImage& labelled : images) {
    (labelled.test ? test : train).push_back(std::move(labelled.image));
  }
  ASSIGN_OR_RETURN(dataset.train, MakeSamples(std::move(train), shape, keep, dataset, context));
  ASSIGN_OR_RETURN(dataset.test, MakeSamples(std::move(test), shape, keep, dataset, context));
  return absl::OkStatus();
}

}  // namespace mantissa::data
