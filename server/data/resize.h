// server/data/resize.h
//
// Resizes a part of an image, without aliasing: each output pixel is the mean of the input pixels
// under it, weighted by a triangle as wide as the scale (as Pillow's BILINEAR is).
//
//   ResizeBox(image, 3, 480, 640, {.top = 0, .left = 80, .height = 480, .width = 480}, 224, 224,
//             out);

#ifndef MANTISSA_SERVER_DATA_RESIZE_H_
#define MANTISSA_SERVER_DATA_RESIZE_H_

#include <cstdint>

namespace mantissa::data {

// In pixels of the image; may begin and end within one.
struct Box {
  double top = 0, left = 0, height = 0, width = 0;
};

// The largest box of the shape height x width in the middle of an image of image_height x
// image_width: what is left if the shorter side is made to fit and the rest cut off.
Box CentreBox(int64_t image_height, int64_t image_width, int64_t height, int64_t width);

// [channels, image_height, image_width] to [channels, height, width]. uint8_t is rounded to the
// nearest. The same on every machine that has IEEE arithmetic. REQUIRES: the box lies in the image.
template <typename Pixel>
void ResizeBox(const Pixel* image, int64_t channels, int64_t image_height, int64_t image_width,
               const Box& box, int64_t height, int64_t width, Pixel* out);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_RESIZE_H_
