// server/data/png.h
//
// PNG files through libpng. Used by image.h, which has the limits.

#ifndef MANTISSA_SERVER_DATA_PNG_H_
#define MANTISSA_SERVER_DATA_PNG_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/data/image_info.h"

namespace mantissa::data {

bool IsPng(absl::string_view bytes);
absl::StatusOr<ImageInfo> ReadPngInfo(absl::string_view bytes);
// Fills `rows`, [height, width, channels].
absl::Status DecodePng(absl::string_view bytes, const ImageInfo& info, absl::Span<uint8_t> rows);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_PNG_H_
