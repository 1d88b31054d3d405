// planner/wire/model_proto.h
//
// mantissa.v1.ModelSpec, and what ModelService tells of models.
//
//   ASSIGN_OR_RETURN(const v1::ModelSpec filled, NormalizeModel(spec));
//   ASSIGN_OR_RETURN(const v1::GetModelResponse response, DescribeModel(spec));
//
// Pure, thread-safe. Errors carry fields relative to the spec: "width".

#ifndef MANTISSA_PLANNER_WIRE_MODEL_PROTO_H_
#define MANTISSA_PLANNER_WIRE_MODEL_PROTO_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mantissa/v1/common.pb.h"
#include "mantissa/v1/model.pb.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "planner/models/models.h"

namespace mantissa::planner {

// Whether a name is of a built-in model, be there one or not: others are of uploaded models.
bool IsBuiltinName(absl::string_view name);

// The spec with its defaults filled in. Without `uploaded`, NotFound if its name is no built-in
// model's; other fields are checked where the model is built. With it, InvalidArgument where the
// spec asks for another width, input or number of classes than the graph has.
absl::StatusOr<v1::ModelSpec> NormalizeModel(const v1::ModelSpec& spec,
                                             const Graph* uploaded = nullptr);

// REQUIRES: NormalizeModel returned `spec`, a built-in model's.
ModelOptions ModelOptionsOf(const v1::ModelSpec& spec);

LossKind LossKindOf(v1::Loss loss);

// Every built-in model, sorted by name.
v1::ListModelsResponse ListBuiltinModels();

// Operators of a model, its loss included, its tensors and sizes. Classes left out are the model's
// default. `model` is filled in for a built-in one only. LOSS_UNSPECIFIED is cross-entropy, or mean
// squares where the output does not take that.
absl::StatusOr<v1::GetModelResponse> DescribeModel(const v1::ModelSpec& spec,
                                                   v1::Loss loss = v1::LOSS_UNSPECIFIED,
                                                   const Graph* uploaded = nullptr);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_WIRE_MODEL_PROTO_H_
