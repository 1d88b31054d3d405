// server/data/jpeg.h
//
// JPEG files through libjpeg-turbo. Used by image.h, which has the limits.

#ifndef MANTISSA_SERVER_DATA_JPEG_H_
#define MANTISSA_SERVER_DATA_JPEG_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/data/image_info.h"

namespace mantissa::data {

bool IsJpeg(absl::string_view bytes);
absl::StatusOr<ImageInfo> ReadJpegInfo(absl::string_view bytes);
// Makes `info` the smallest of the sizes that its file can be decoded at, the full one, a half, a
// quarter and an eighth, which is not below height x width.
void ShrinkJpeg(int64_t height, int64_t width, ImageInfo& info);
// Fills `rows`, [height, width, channels], of the file's size or one of ShrinkJpeg(). A warning of
// the decoder, for instance about a premature end, is an error.
absl::Status DecodeJpeg(absl::string_view bytes, const ImageInfo& info, absl::Span<uint8_t> rows);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_JPEG_H_
