// server/jobs/job_spec.h
//
// Checks a job as somebody asks for it and fills in its defaults.
//
//   RETURN_IF_ERROR(CheckAndFillGeneral(spec));
//   RETURN_IF_ERROR(CheckAndFillFromDataset(dataset, spec));  // batch size, classes, shape
//   (or, of an uploaded model, CheckAndFillFromModel(model, dataset, spec))
//   RETURN_IF_ERROR(CheckAndFillTraining(context, *spec.mutable_training()));
//   ASSIGN_OR_RETURN(const v1::Plan plan, planner.MakePlan(PlanRequestOf(spec)));
//
// Errors are InvalidField with the path in JobSpec: `training.learning_rate`. Model and precision
// are the planner's to check.
#ifndef MANTISSA_SERVER_JOBS_JOB_SPEC_H_
#define MANTISSA_SERVER_JOBS_JOB_SPEC_H_

#include <cstdint>

#include "absl/status/status.h"
#include "mantissa/v1/dataset.pb.h"
#include "mantissa/v1/job.pb.h"
#include "mantissa/v1/model.pb.h"
#include "mantissa/v1/planner.pb.h"

namespace mantissa::jobs {

// Name, labels, data set name, retries; fills in max_retries.
absl::Status CheckAndFillGeneral(v1::JobSpec& spec);

// Whether the data fit a built-in model: batch size against training samples, classes, input shape.
// Fills those that are not set.
absl::Status CheckAndFillFromDataset(const v1::Dataset& dataset, v1::JobSpec& spec);

// The same of an uploaded model, whose file's hash is filled in.
absl::Status CheckAndFillFromModel(const v1::Model& model, const v1::Dataset& dataset,
                                   v1::JobSpec& spec);

struct TrainingContext {
  // As asked for: the planner checks it later.
  v1::PolicyName policy = v1::POLICY_NAME_DEMOTION;
  int64_t train_samples = 0;
  // Threads of a worker where the job does not say.
  int32_t default_threads = 1;
};

// Every field of the training. REQUIRES: batch_size is set.
absl::Status CheckAndFillTraining(const TrainingContext& context, v1::TrainingSpec& training);

// What to ask the planner for. REQUIRES: the training is filled in.
v1::PlanRequest PlanRequestOf(const v1::JobSpec& spec);

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_JOB_SPEC_H_
