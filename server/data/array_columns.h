// server/data/array_columns.h
//
// From arrays to samples, whatever file the arrays came from.
//
//   ASSIGN_OR_RETURN(dataset.train, AddArrays({{"x", x}}, {"y", y}, context, dataset));
//
// The first dimension counts samples. uint8 inputs of 3 or 4 dimensions are images: [N, H, W],
// [N, C, H, W] or [N, H, W, C]; the last where the last dimension is 1 or 3 and the second is not,
// which floating-point inputs of 4 dimensions follow. Floating-point inputs of 3 are images where
// "image" is in their names. Other inputs keep their shape. float16 and float64 become float32,
// whole numbers of 16 bits and bool int32, uint32 and uint64 int64. Targets are whole numbers of
// any shape, [N, 1] read as [N], or floating point.

#ifndef MANTISSA_SERVER_DATA_ARRAY_COLUMNS_H_
#define MANTISSA_SERVER_DATA_ARRAY_COLUMNS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/data/dataset.h"
#include "server/data/npy.h"
#include "server/data/source.h"

namespace mantissa::data {

// Most classes of a target.
inline constexpr int64_t kMaxClasses = 1000000;

struct NamedArray {
  std::string name;  // of the tensor; array.name is for errors
  NpyArray array;
};

// Samples of one split. Fills the tensors of `dataset` where it has none yet, else they must be of
// the same types and shapes. InvalidArgument where types, shapes or counts do not fit, a label is
// out of range, or a number is not finite. REQUIRES: there is an input.
absl::StatusOr<std::shared_ptr<const SampleSource>> AddArrays(std::vector<NamedArray> inputs,
                                                              NamedArray target,
                                                              ReadContext& context,
                                                              LoadedDataset& dataset);

// Joins what a split has got to what `dataset` says: same types and shapes, the larger number of
// classes. `name` is for errors.
absl::Status Agree(absl::string_view name, const SampleTensor& found, SampleTensor& tensor);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_ARRAY_COLUMNS_H_
