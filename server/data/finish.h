// server/data/finish.h
//
// What is the same for every format: counts the classes, makes the split, takes the statistics.

#ifndef MANTISSA_SERVER_DATA_FINISH_H_
#define MANTISSA_SERVER_DATA_FINISH_H_

#include "absl/status/status.h"
#include "server/data/dataset.h"

namespace mantissa::data {

// Completes what a reader left: classes where it knows none, a test set where the files have none,
// mean and deviation of the training images where the options name none. InvalidArgument where
// there is nothing to train on or options do not fit the images.
// REQUIRES: no label is negative, or beyond the classes that the reader knows.
absl::Status FinishDataset(const LoadOptions& options, LoadedDataset& dataset);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_FINISH_H_
