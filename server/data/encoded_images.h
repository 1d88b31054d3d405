// server/data/encoded_images.h
//
// JPEG and PNG files with a class each as samples: decoded once if they are few, else when asked.
//
//   RETURN_IF_ERROR(AddImages(std::move(images), classes, context, dataset));

#ifndef MANTISSA_SERVER_DATA_ENCODED_IMAGES_H_
#define MANTISSA_SERVER_DATA_ENCODED_IMAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/data/dataset.h"
#include "server/data/image_info.h"
#include "server/data/source.h"

namespace mantissa::data {

struct EncodedImage {
  std::string name;  // printable
  absl::string_view bytes;
  int64_t label = 0;
  ImageInfo info = {};  // filled in here
};

struct LabelledImage {
  EncodedImage image;
  bool test = false;
};

// Fills inputs, target, train and test of `dataset`: uint8 images, of the shape that the options
// ask for, else the one that all have, of three channels if one has. All headers are read here;
// decoded, by options.threads threads, they are here if all pixels take no more than
// options.keep_decoded_bytes: the samples are the same. InvalidArgument names the images that have
// different sizes, or the damaged one. No images: nothing to train on.
absl::Status AddImages(std::vector<LabelledImage> images, int64_t classes, ReadContext& context,
                       LoadedDataset& dataset);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_ENCODED_IMAGES_H_
