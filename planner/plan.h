// planner/plan.h
//
// From a model to the format of every tensor, in one call; what the server, the CLI's
// --local and the engine share.
//
//   PlanRequest request{.model = {.name = "resnet18", .classes = 10}, .batch_size = 128};
//   request.precision = {.policy = "demotion", .low_ratio = 0.5};
//   ASSIGN_OR_RETURN(Plan plan, MakePlan(request));
//   FormatOf(plan, TensorKind::kActivation, value_id);  // kernels::Format
//   plan.memory.peak_bytes;                             // predicted
//
// With memory_bytes the plan is one whose predicted peak is within it, or FailedPrecondition says
// by how much it is over and what would fit.
//
// Pure: the same request gives the same plan. Thread-safe.

#ifndef MANTISSA_PLANNER_PLAN_H_
#define MANTISSA_PLANNER_PLAN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/formats/format.h"
#include "planner/cost/cost.h"
#include "planner/cost/memory.h"
#include "planner/cost/moments.h"
#include "planner/fit/recompute.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "planner/graph/tensors.h"
#include "planner/models/models.h"
#include "planner/policies/context.h"
#include "planner/policies/options.h"
#include "planner/policies/policy.h"
#include "planner/schedule/schedule.h"
#include "planner/schedule/tiles.h"

namespace mantissa::planner {

// What is computed with, and what high precision is.
enum class Recipe {
  kPaper,  // fp32; fp(6,9,0)
  kBf16,   // bf16; bf16. Statistics, loss and master weights are fp32.
};

struct PlanRequest {
  // Built-in model: {name without "builtin:", width, classes, input shape [C, H, W]}.
  ModelOptions model;
  // A graph without a loss, in the model's place; null: the built-in model.
  std::shared_ptr<const Graph> uploaded;
  LossOptions loss;
  // Parameters that are not trained beside those that the graph has frozen already: names, in which
  // * stands for any text and ? for any character. Each must match one at least.
  std::vector<std::string> freeze;
  // {policy name, low_ratio, seed, low_groups}.
  PolicyOptions precision;
  // Samples a step, 1 to 1,048,576.
  int64_t batch_size = 128;
  Recipe recipe = Recipe::kPaper;
  // Of a task's widest tile.
  int64_t tile_bytes = TileOptions().tile_bytes;
  // False: values are rounded but stand in 4 bytes.
  bool packed = true;
  // Most tensor bytes of a step, as predicted; 0: no limit. With the policies demotion, budget,
  // increasing and random, which must have no low_ratio then, the smallest ratio that fits is
  // taken, and then, if allowed, recomputing; other policies are checked.
  int64_t memory_bytes = 0;
  Recompute recompute = Recompute::kAuto;
  OptimizerKind optimizer = OptimizerKind::kSgd;
  OptimizerStateWidth optimizer_state = OptimizerStateWidth::kFp32;
  // Batches of batch_size whose gradients are added up for one update, 1 to 65,536.
  int64_t accumulate_batches = 1;
  // The gradients of a step are scaled so that their L2 norm is at most this; 0: they are not.
  double clip_norm = 0;
  // Of the moving average of the parameters, below 1; 0: none.
  double ema_decay = 0;
};

// The same training at another precision: batch, optimizer and storage as in the plan, nothing
// recomputed.
struct MemoryBaseline {
  std::string name;  // "fp32", "16-bit" (every tensor high), "operator" (the paper's)
  int64_t peak_bytes = 0;
};

struct Plan {
  PlanRequest request;  // what it was made from
  Graph graph;          // with its loss attached
  TensorTable tensors;  // v, theta, dv, dtheta of the graph, with groups
  Assignment assignment;
  Cost cost;
  // By value: v's that are computed again instead of kept. Empty: none.
  std::vector<bool> recompute;
  Schedule schedule;      // of a training step
  MemoryForecast memory;  // of a training step
  std::vector<MemoryBaseline> baselines;
};

// InvalidArgument (base/status.h, fields "model.width", "precision.low_ratio", "batch_size" and so
// on) says what is allowed; NotFound names the models there are.
absl::StatusOr<Plan> MakePlan(const PlanRequest& request);

// Makes cost, schedule, memory and baselines anew, from the request, the formats and `recompute`.
void Forecast(Plan& plan);

MemoryOptions MemoryOptionsOf(const PlanRequest& request);

// What the request's policy is made with.
PolicyContext PolicyContextOf(const PlanRequest& request);

// What high precision is.
kernels::Format HighFormat(Recipe recipe);

// The format of a tensor. REQUIRES: plan.tensors.Find(kind, value) >= 0.
kernels::Format FormatOf(const Plan& plan, TensorKind kind, ValueId value);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_PLAN_H_
