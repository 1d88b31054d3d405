#include "server/data/image.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/data/jpeg.h"
#include "server/data/png.h"
#include "server/data/resize.h"

namespace mantissa::data {

bool IsImageName(absl::string_view name) {
  return absl::EndsWithIgnoreCase(name, ".jpg") || absl::EndsWithIgnoreCase(name, ".jpeg") ||
         absl::EndsWithIgnoreCase(name, ".png");
}

absl::StatusOr<ImageInfo> ReadImageInfo(const NamedBytes& file) {
  absl::StatusOr<ImageInfo> info =
      absl::InvalidArgumentError("neither JPEG nor PNG. Convert it, or leave it out");
  if (IsJpeg(file.bytes)) info = ReadJpegInfo(file.bytes);
  if (IsPng(file.bytes)) info = ReadPngInfo(file.bytes);
  if (!info.ok()) return Annotate(info.status(), file.name);
  if (info->width < 1 || info->height < 1 || info->width > kMaxImageSide ||
      info->height > kMaxImageSide) {
    return absl::InvalidArgumentError(absl::StrCat(file.name, ": ", info->width, "x", info->height,
                                                   " pixels; allowed are sides of 1 to ",
                                                   kMaxImageSide, ". Make it smaller."));
  }
  // The densest is a PNG of one bit a pixel, deflated 1,032 to 1.
  constexpr int64_t kMaxPixelsPerByte = 8 * 1032;
  const int64_t pixels = info->width * info->height;
  if (pixels / kMaxPixelsPerByte > static_cast<int64_t>(file.bytes.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name, ": claims ", info->width, "x", info->height, " pixels, more than ",
                     file.bytes.size(), " bytes can hold. It is damaged; leave it out."));
  }
  if (info->width * info->height > kMaxImagePixels) {
    return absl::InvalidArgumentError(absl::StrCat(file.name, ": ", info->width, "x", info->height,
                                                   " pixels; allowed are ", kMaxImagePixels,
                                                   " in all. Make it smaller."));
  }
  return info;
}

absl::Status DecodeImage(const NamedBytes& file, const ImageInfo& info, const ImageShape& shape,
                         absl::Span<uint8_t> pixels) {
  MANTISSA_CHECK(static_cast<int64_t>(pixels.size()) == shape.elements());
  const bool jpeg = info.format == ImageFormat::kJpeg;
  ImageInfo decoded = info;
  if (jpeg) ShrinkJpeg(shape.height, shape.width, decoded);
  const int64_t plane = decoded.width * decoded.height;
  std::vector<uint8_t> rows(info.channels * plane);  // [height, width, info.channels]
  const absl::Status status = jpeg ? DecodeJpeg(file.bytes, decoded, absl::MakeSpan(rows))
                                   : DecodePng(file.bytes, decoded, absl::MakeSpan(rows));
  if (!status.ok()) return Annotate(status, file.name);
  const bool same = decoded.height == shape.height && decoded.width == shape.width;
  std::vector<uint8_t> planes(same ? 0 : shape.channels * plane);
  uint8_t* const to = same ? pixels.data() : planes.data();
  for (int64_t c = 0; c < shape.channels; ++c) {
    const int64_t from = info.channels == 1 ? 0 : c;
    for (int64_t p = 0; p < plane; ++p) to[c * plane + p] = rows[p * info.channels + from];
  }
  if (same) return absl::OkStatus();
  ResizeBox(planes.data(), shape.channels, decoded.height, decoded.width,
            CentreBox(decoded.height, decoded.width, shape.height, shape.width), shape.height,
            shape.width, pixels.data());
  return absl::OkStatus();
}

}  // namespace mantissa::data
