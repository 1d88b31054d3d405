// server/data/finish.h
//
// What is the same for every format: makes the split, takes the statistics.

#ifndef MANTISSA_SERVER_DATA_FINISH_H_
#define MANTISSA_SERVER_DATA_FINISH_H_

#include "absl/status/status.h"
#include "server/data/dataset.h"

namespace mantissa::data {

// Completes what a reader left: a test set where the files have none, mean and deviation of the
// training images where the options name none; where each must be decoded for it, of 4,096 spread
// over all. InvalidArgument where there is nothing to train on or options do not fit the images.
absl::Status FinishDataset(const LoadOptions& options, LoadedDataset& dataset);

}  // namespace mantissa::data

#endif  // MANTISSA_SERVER_DATA_FINISH_H_
