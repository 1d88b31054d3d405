// server/engine/worker_failure.h
//
// Names the cause of a failed work for people.
//
//   v1::Failure failure = FailureOf(WorkPhase::kLoad, status);

#ifndef MANTISSA_SERVER_ENGINE_WORKER_FAILURE_H_
#define MANTISSA_SERVER_ENGINE_WORKER_FAILURE_H_

#include "absl/status/status.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::engine {

// What a worker was at when it failed: the same code means different things.
enum class WorkPhase {
  kFetch,    // from the server to this disk
  kPlan,     // building the graph of the job's spec
  kLoad,     // reading the data set
  kModel,    // reading an uploaded model
  kFit,      // holding the data against graph and options
  kWeights,  // opening the file of weights to start from
  kTrain,    // training
  kUpload,   // from this disk to the server
};

// REQUIRES: `status` is an error.
v1::Failure FailureOf(WorkPhase phase, const absl::Status& status);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_WORKER_FAILURE_H_
