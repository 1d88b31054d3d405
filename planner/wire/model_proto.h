// planner/wire/model_proto.h
//
// mantissa.v1.ModelSpec, and what ModelService tells of the built-in models.
//
//   ASSIGN_OR_RETURN(const v1::ModelSpec filled, NormalizeModel(spec));
//   ASSIGN_OR_RETURN(const v1::GetModelResponse response, DescribeModel(spec));
//
// Pure, thread-safe. Errors carry fields relative to the spec: "width".

#ifndef MANTISSA_PLANNER_WIRE_MODEL_PROTO_H_
#define MANTISSA_PLANNER_WIRE_MODEL_PROTO_H_

#include "absl/status/statusor.h"
#include "mantissa/v1/common.pb.h"
#include "mantissa/v1/model.pb.h"
#include "planner/models/models.h"

namespace mantissa::planner {

// The spec with width 1.0 and input [3, 32, 32] filled in where they are left out. NotFound if its
// name is no built-in model's; other fields are checked where the model is built.
absl::StatusOr<v1::ModelSpec> NormalizeModel(const v1::ModelSpec& spec);

// REQUIRES: NormalizeModel returned `spec`.
ModelOptions ModelOptionsOf(const v1::ModelSpec& spec);

// Every built-in model, sorted by name.
v1::ListModelsResponse ListBuiltinModels();

// Operators of a model, its loss included, and its sizes. Classes left out are 10.
absl::StatusOr<v1::GetModelResponse> DescribeModel(const v1::ModelSpec& spec);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_WIRE_MODEL_PROTO_H_
