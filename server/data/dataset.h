// server/data/dataset.h
//
// Reads labelled images from files that nobody vouches for. Runs in the worker, never in the
// server.
//
//   ASSIGN_OR_RETURN(LoadedDataset data, LoadDataset(files, {.test_fraction = 0.2}));
//   data.train.images_u8  // [N, C, H, W], row-major
//
// Knows CIFAR-10/100 binary, IDX, .npz and image folders in a .tar; what a file is, is told by its
// name and its first bytes.

#ifndef MANTISSA_SERVER_DATA_DATASET_H_
#define MANTISSA_SERVER_DATA_DATASET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace mantissa::data {

// A file to read: its name in the data set and where its bytes are.
struct SourceFile {
  std::string name;
  std::string path;
};

struct LoadOptions {
  // Share kept for testing where the files have no split of their own; 0 < x < 1.
  double test_fraction = 0.2;
  uint64_t split_seed = 0;
  // Channel statistics after scaling to 0..1; empty: the training set's own.
  std::vector<float> mean, stddev;
  // Most bytes that decoded images may take.
  int64_t max_decoded_bytes = int64_t{8} << 30;
};

// Samples of one split. Exactly one of the two image arrays is filled.
struct Samples {
  std::vector<uint8_t> images_u8;  // [N, C, H, W], to be scaled by 1/255 and normalised
  std::vector<float> images_f32;   // [N, C, H, W], taken as they are
  std::vector<int64_t> labels;     // [N], 0 to classes - 1
  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

struct LoadedDataset {
  std::string format;  // cifar10, cifar100, idx, npz, image-folder
  Samples train, test;
  int64_t channels = 0, height = 0, width = 0;
  int64_t classes = 0;
  std::vector<std::string> class_names;  // empty where the files name none
  std::vector<float> mean, stddev;       // by channel; empty for float32 images
};

// InvalidArgument names the file, what is wrong in it and what is allowed; ResourceExhausted the
// limit. Deterministic.
absl::StatusOr<LoadedDataset> LoadDataset(absl::Span<const SourceFile> files,
                                          const LoadOptions& options);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_DATASET_H_
