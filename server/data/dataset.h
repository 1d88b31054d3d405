// server/data/dataset.h
//
// Reads samples from files that nobody vouches for. Runs in the worker, never in the server.
//
//   ASSIGN_OR_RETURN(LoadedDataset data, LoadDataset(files, {.test_fraction = 0.2}));
//   data.inputs[0].shape  // {3, 32, 32}
//   data.train->ReadInput(0, 0, pixels)
//
// Knows arrays in .npz, .npy and .safetensors, token files, CIFAR-10/100 binary, IDX, and .tar
// archives of image folders and WebDataset shards; what a file is, is told by its name and its
// first bytes, unless the options say.

#ifndef MANTISSA_SERVER_DATA_DATASET_H_
#define MANTISSA_SERVER_DATA_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/data/samples.h"

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
  // One of LoadedDataset::format; empty: told by names and first bytes.
  std::string format;
  // Names of the arrays of inputs and targets; empty: one of the customary ones.
  std::vector<std::string> inputs;
  std::string target;
  // Of token files: tokens of a sample (0: not said), from one sample's start to the next (0:
  // sequence_length), tokens' upper bound (0: what is found), bytes of a token (0: 2).
  int64_t sequence_length = 0, sequence_stride = 0, vocabulary = 0;
  int token_bytes = 0;
  // What encoded images are resized to; 0: they must be of one size.
  int64_t image_height = 0, image_width = 0;
  // Label of what has none.
  int64_t ignore_index = -100;
  // Most bytes that arrays may take in memory.
  int64_t max_decoded_bytes = int64_t{8} << 30;
  // Encoded images whose pixels together take no more are decoded once, others when asked.
  int64_t keep_decoded_bytes = int64_t{1} << 30;
  // Threads that decode images which are kept.
  int threads = 1;
};

struct LoadedDataset {
  // cifar10, cifar100, idx, npz, safetensors, tokens, image-folder, webdataset
  std::string format;
  // In the order in which a model takes them.
  std::vector<SampleTensor> inputs;
  SampleTensor target;
  std::shared_ptr<const SampleSource> train, test;
  std::vector<std::string> class_names;  // empty where the files name none
  // Of the channels of images, after scaling to 0..1; empty where there are none.
  std::vector<float> mean, stddev;
};

// InvalidArgument names the file, what is wrong in it and what is allowed; ResourceExhausted the
// limit. Deterministic. The files may be removed as soon as it returns, but not changed before.
absl::StatusOr<LoadedDataset> LoadDataset(absl::Span<const SourceFile> files,
                                          const LoadOptions& options);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_DATASET_H_
