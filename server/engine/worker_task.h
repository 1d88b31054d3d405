// server/engine/worker_task.h
//
// From the messages of a worker's task to what readers and trainer take.
//
//   ASSIGN_OR_RETURN(LoadedDataset data, LoadDataset(files, LoadOptionsOf(task.dataset())));
//   TrainingOptions options = TrainingOptionsOf(task, plan, threads);
//
// Pure. The server has filled in defaults and checked ranges (server/jobs/job_spec.h): only it
// knows the defaults, what is unset here counts as 0.

#ifndef MANTISSA_SERVER_ENGINE_WORKER_TASK_H_
#define MANTISSA_SERVER_ENGINE_WORKER_TASK_H_

#include "mantissa/internal/v1/worker.pb.h"
#include "mantissa/v1/dataset.pb.h"
#include "planner/plan.h"
#include "server/data/dataset.h"
#include "server/engine/options.h"

namespace mantissa::engine {

// To read a data set that was inspected before: with the statistics found then.
data::LoadOptions LoadOptionsOf(const v1::Dataset& dataset);
// To inspect a new one.
data::LoadOptions LoadOptionsOf(const v1::CreateDatasetRequest& request);

// What `data` is, in answer to the request.
v1::Dataset DatasetOf(const v1::CreateDatasetRequest& request, const data::LoadedDataset& data);

// Paths are left empty. `threads` serves where the job does not say; 0 is LibTorch's choice.
TrainingOptions TrainingOptionsOf(const internal::v1::TrainTask& task, const planner::Plan& plan,
                                  int threads);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_WORKER_TASK_H_
