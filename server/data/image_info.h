// server/data/image_info.h
//
// What an image file's header says; shared by the decoders.

#ifndef MANTISSA_SERVER_DATA_IMAGE_INFO_H_
#define MANTISSA_SERVER_DATA_IMAGE_INFO_H_

#include <cstdint>

namespace mantissa::data {

// Longest side of an image in pixels.
inline constexpr int64_t kMaxImageSide = 16384;
// Most pixels: decoding takes six bytes for each.
inline constexpr int64_t kMaxImagePixels = int64_t{1} << 26;

enum class ImageFormat { kJpeg, kPng };

struct ImageInfo {
  ImageFormat format;
  int64_t width, height;  // pixels
  int64_t channels;       // 1: gray, 3: colour
};

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_IMAGE_INFO_H_
