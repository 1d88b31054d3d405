// planner/plan.h
//
// From a model's name to the format of every tensor, in one call; what the server, the CLI's
// --local and the engine share.
//
//   PlanRequest request{.model = {.name = "resnet18", .classes = 10}, .batch_size = 128};
//   request.precision = {.policy = "demotion", .low_ratio = 0.5};
//   ASSIGN_OR_RETURN(Plan plan, MakePlan(request));
//   FormatOf(plan, TensorKind::kActivation, value_id);  // kernels::Format
//
// Pure: the same request gives the same plan. Thread-safe.

#ifndef MANTISSA_PLANNER_PLAN_H_
#define MANTISSA_PLANNER_PLAN_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "kernels/formats/format.h"
#include "planner/cost/cost.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/models/models.h"
#include "planner/policies/options.h"
#include "planner/policies/policy.h"

namespace mantissa::planner {

struct PlanRequest {
  // Built-in model: {name without "builtin:", width, classes, input shape [C, H, W]}.
  ModelOptions model;
  // {policy name, low_ratio, seed, low_groups}.
  PolicyOptions precision;
  // Samples a step, 1 to 1,048,576.
  int64_t batch_size = 128;
  // 0.0 to below 1.0.
  double label_smoothing = 0;
};

struct Plan {
  PlanRequest request;  // what it was made from
  Graph graph;          // with its loss attached
  TensorTable tensors;  // v, theta, dv, dtheta of the graph, with groups
  Assignment assignment;
  Cost cost;
};

// InvalidArgument (base/status.h, fields "model.width", "precision.low_ratio", "batch_size" and so
// on) says what is allowed; NotFound names the models there are.
absl::StatusOr<Plan> MakePlan(const PlanRequest& request);

// The format of a tensor. REQUIRES: plan.tensors.Find(kind, value) >= 0.
kernels::Format FormatOf(const Plan& plan, TensorKind kind, ValueId value);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_PLAN_H_
