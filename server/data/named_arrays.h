// server/data/named_arrays.h
//
// A data set of arrays with names, in one .npz or .safetensors file or as .npy files beside each
// other: which are inputs and targets is told by their names (array_names.h). Others are not read.
//
//   ASSIGN_OR_RETURN(LoadedDataset dataset, ReadNpzDataset(file, context));

#ifndef MANTISSA_SERVER_DATA_NAMED_ARRAYS_H_
#define MANTISSA_SERVER_DATA_NAMED_ARRAYS_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/data/dataset.h"
#include "server/data/source.h"

namespace mantissa::data {

// None is split by seed.
absl::StatusOr<LoadedDataset> ReadNpzDataset(const NamedBytes& file, ReadContext& context);

// x.npy, y.npy and so on; the format is npz.
absl::StatusOr<LoadedDataset> ReadNpyDataset(absl::Span<const NamedBytes> files,
                                             ReadContext& context);

absl::StatusOr<LoadedDataset> ReadSafetensorsDataset(const NamedBytes& file, ReadContext& context);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_NAMED_ARRAYS_H_
