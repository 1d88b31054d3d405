// server/data/idx.h
//
// IDX files, as MNIST and its relatives come: big-endian arrays, images and labels apart.
//
//   ASSIGN_OR_RETURN(LoadedDataset mnist, ReadIdxDataset(files, context));
//
// A file whose name has "t10k" or "test" in it is for testing, any other for training. What is
// images and what labels is told by the number of dimensions.
// Source of the format: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".

#ifndef MANTISSA_SERVER_DATA_IDX_H_
#define MANTISSA_SERVER_DATA_IDX_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/data/dataset.h"
#include "server/data/npy.h"
#include "server/data/source.h"

namespace mantissa::data {

// Whether `bytes` starts as an IDX file does.
bool IsIdx(absl::string_view bytes);

// InvalidArgument unless header and length agree to the byte.
absl::StatusOr<NpyArray> ParseIdx(const NamedBytes& file);

// Labels as the files have them: not checked, not split by seed.
absl::StatusOr<LoadedDataset> ReadIdxDataset(absl::Span<const NamedBytes> files,
                                             ReadContext& context);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_IDX_H_
