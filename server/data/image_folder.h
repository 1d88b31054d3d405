// server/data/image_folder.h
//
// Images sorted into folders, one a class: the members of one or more tar archives.
//
//   train/cat/1.png  train/dog/2.jpg  test/cat/3.png     a split of their own
//   cat/1.png  dog/2.jpg                                 no split
//
// `val/` and `valid/` serve for testing where there is no `test/`, and are left out where there is
// one. A folder around all of it is looked through. Classes are numbered in the order of their
// names' bytes.

#ifndef MANTISSA_SERVER_DATA_IMAGE_FOLDER_H_
#define MANTISSA_SERVER_DATA_IMAGE_FOLDER_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/data/dataset.h"
#include "server/data/source.h"

namespace mantissa::data {

// Samples by class, then name. All headers are read before the first image is decoded.
absl::StatusOr<LoadedDataset> ReadImageFolder(absl::Span<const NamedBytes> members,
                                              ReadContext& context);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_IMAGE_FOLDER_H_
