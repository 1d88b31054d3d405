// server/data/npz_dataset.h
//
// A data set in one .npz file: arrays of images and labels under one of the customary names.
//
//   ASSIGN_OR_RETURN(LoadedDataset dataset, ReadNpzDataset(file, budget));
//
// With a split of their own: x_train, y_train, x_test, y_test; train_x, ...; train_images,
// train_labels, ... Without: images, labels; x, y; data, target. Other arrays are not read.

#ifndef MANTISSA_SERVER_DATA_NPZ_DATASET_H_
#define MANTISSA_SERVER_DATA_NPZ_DATASET_H_

#include "absl/status/statusor.h"
#include "server/data/dataset.h"
#include "server/data/source.h"

namespace mantissa::data {

// Splits, labels as the file has them: not checked, not split by seed.
absl::StatusOr<LoadedDataset> ReadNpzDataset(const NamedBytes& file, Budget& budget);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_NPZ_DATASET_H_
