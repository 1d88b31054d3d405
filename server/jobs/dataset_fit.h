// server/jobs/dataset_fit.h
//
// Whether a data set has what a model takes and its loss compares with.
//
//   RETURN_IF_ERROR(CheckDatasetFits(model, dataset, v1::LOSS_CROSS_ENTROPY));
//
// Pure, thread-safe.
#ifndef MANTISSA_SERVER_JOBS_DATASET_FIT_H_
#define MANTISSA_SERVER_JOBS_DATASET_FIT_H_

#include <vector>

#include "absl/status/status.h"
#include "mantissa/v1/common.pb.h"
#include "mantissa/v1/dataset.pb.h"
#include "mantissa/v1/model.pb.h"

namespace mantissa::jobs {

// The inputs of a sample; of a data set that was read before there were several, its image.
std::vector<v1::SampleTensor> InputsOf(const v1::Dataset& dataset);

// InvalidArgument (field "dataset") says what the data set has, what the model takes and what
// helps. `model` has inputs and outputs. What the loss asks of the model is the planner's to check.
absl::Status CheckDatasetFits(const v1::Model& model, const v1::Dataset& dataset, v1::Loss loss);

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_DATASET_FIT_H_
