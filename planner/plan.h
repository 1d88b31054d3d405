// planner/plan.h
//
// From a model's name to the format of every tensor, in one call; what the server, the CLI's
// --local and the engine share.
//
//   PlanRequest request{.model = {.name = "resnet18", .classes = 10}, .batch_size = 128};
//   request.precision = {.policy = "demotion", .low_ratio = 0.5};
//   ASSIGN_OR_RETURN(Plan plan, MakePlan(request));
//   plan.tensors.format(TensorKind::kActivation, value_id);  // kernels::Format
//
// Pure: the same request gives the same plan. Thread-safe.

#ifndef MANTISSA_PLANNER_PLAN_H_
#define MANTISSA_PLANNER_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/formats/format.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/models/models.h"
#include "planner/policies/policy.h"

namespace mantissa::planner {

struct PlanRequest {
  // Built-in model: {name without "builtin:", width, classes, input shape [C, H, W]}.
  ModelOptions model;
  // {policy name, low_ratio, seed, low_groups}.
  PolicyOptions precision;
  // Samples a step.
  int64_t batch_size = 128;
  double label_smoothing = 0;
};

// Cost of an assignment at the batch size.
struct Cost {
  int64_t total_elements = 0;
  int64_t bits = 0;
  int64_t bits_high = 0;  // every tensor at 16 bits
  int64_t bits_fp32 = 0;
  double ratio_low_groups = 0;  // share of elements in low groups
  double ratio_low_bits = 0;    // 2 * (bits_high - bits) / bits_high; 0 with policy none
};

struct Plan {
  Graph graph;          // with its loss attached
  TensorTable tensors;  // v, theta, dv, dtheta of the graph, with groups
  Assignment assignment;
  Cost cost;
};

// InvalidArgument names the field that is out of range and what is allowed.
absl::StatusOr<Plan> MakePlan(const PlanRequest& request);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_PLAN_H_
