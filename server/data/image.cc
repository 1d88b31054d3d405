#include "server/data/image.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/data/jpeg.h"
#include "server/data/png.h"

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
  return info;
}

absl::Status DecodeImage(const NamedBytes& file, const ImageInfo& info, int64_t channels,
                         absl::Span<uint8_t> pixels) {
  const int64_t plane = info.width * info.height;
  MANTISSA_CHECK(static_cast<int64_t>(pixels.size()) == channels * plane);
  std::vector<uint8_t> rows(info.channels * plane);  // [height, width, info.channels]
  absl::Status decoded = info.format == ImageFormat::kJpeg
                             ? DecodeJpeg(file.bytes, info, absl::MakeSpan(rows))
                             : DecodePng(file.bytes, info, absl::MakeSpan(rows));
  if (!decoded.ok()) return Annotate(decoded, file.name);
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t from = info.channels == 1 ? 0 : c;
    for (int64_t p = 0; p < plane; ++p) pixels[c * plane + p] = rows[p * info.channels + from];
  }
  return absl::OkStatus();
}

}  // namespace mantissa::data
