// server/engine/worker_model.h
//
// Uploaded models in a worker.
//
//   ASSIGN_OR_RETURN(internal::v1::InspectedModel model, InspectModel(request, "model"));
//   ASSIGN_OR_RETURN(planner::UploadedGraph graph, ImportModel(request, "model"));
//
// Errors are InvalidArgument with what is wrong in the file, ResourceExhausted with the limit.

#ifndef MANTISSA_SERVER_ENGINE_WORKER_MODEL_H_
#define MANTISSA_SERVER_ENGINE_WORKER_MODEL_H_

#include <string>

#include "absl/status/statusor.h"
#include "mantissa/internal/v1/worker.pb.h"
#include "mantissa/v1/model.pb.h"
#include "planner/wire/plan_proto.h"

namespace mantissa::engine {

// Reads a model and tries it, within limits of memory and processor time that it sets for the
// process. `path` is where the file is.
absl::StatusOr<internal::v1::InspectedModel> InspectModel(const v1::CreateModelRequest& request,
                                                          const std::string& path);

// The graph of a model that was accepted before.
absl::StatusOr<planner::UploadedGraph> ImportModel(const std::string& path);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_WORKER_MODEL_H_
