// server/data/cifar.h
//
// CIFAR-10 and CIFAR-100 in their binary versions: records of one or two label bytes and 3x32x32
// pixels.
//
//   ASSIGN_OR_RETURN(LoadedDataset dataset, ReadCifarDataset(files, context));
//
// CIFAR-10: data_batch_N.bin, test_batch.bin, names in batches.meta.txt. CIFAR-100: train.bin,
// test.bin, names in fine_label_names.txt; its coarse labels are not used.
// Source of the format: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

#ifndef MANTISSA_SERVER_DATA_CIFAR_H_
#define MANTISSA_SERVER_DATA_CIFAR_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/data/dataset.h"
#include "server/data/source.h"

namespace mantissa::data {

// Whether a file of this name, folders aside, belongs to a binary CIFAR data set.
bool IsCifarName(absl::string_view name);

// Labels are checked; not split by seed.
absl::StatusOr<LoadedDataset> ReadCifarDataset(absl::Span<const NamedBytes> files,
                                               const ReadContext& context);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_CIFAR_H_
