// server/data/image.h
//
// Decodes a JPEG or PNG file, first its size alone, so that memory can be refused beforehand.
//
//   ASSIGN_OR_RETURN(ImageInfo info, ReadImageInfo(file));
//   RETURN_IF_ERROR(DecodeImage(file, info, {.channels = 3, .height = 224, .width = 224}, pixels));
//
// Eight bits a channel. Transparency is dropped, palettes are looked up, 16-bit samples lose their
// lower half, gamma and colour profiles are ignored, as most training pipelines do.

#ifndef MANTISSA_SERVER_DATA_IMAGE_H_
#define MANTISSA_SERVER_DATA_IMAGE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/data/image_info.h"
#include "server/data/source.h"

namespace mantissa::data {

// Whether `name` ends as a JPEG or PNG file does.
bool IsImageName(absl::string_view name);

// From the header. InvalidArgument where it is no image, damaged, too large, or claims more pixels
// than its bytes can hold.
absl::StatusOr<ImageInfo> ReadImageInfo(const NamedBytes& file);

// What an image is made into.
struct ImageShape {
  int64_t channels = 0, height = 0, width = 0;
  int64_t elements() const { return channels * height * width; }
};

// Fills `pixels`, [channels, height, width]. `channels` is info.channels, or 3 for a gray image
// among coloured ones. An image of another size is resized, the shorter side to fit, and its middle
// taken; JPEG is decoded at a half, a quarter or an eighth where that is still larger.
// InvalidArgument where the file is damaged or truncated.
// REQUIRES: `info` is the file's; pixels.size() == shape.elements().
absl::Status DecodeImage(const NamedBytes& file, const ImageInfo& info, const ImageShape& shape,
                         absl::Span<uint8_t> pixels);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_IMAGE_H_
