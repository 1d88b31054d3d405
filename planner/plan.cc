#include "planner/plan.h"

#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/fit/fit.h"
#include "planner/graph/freeze.h"
#include "planner/policies/none.h"
#include "planner/policies/operator_based.h"
#include "planner/policies/registry.h"
#include "planner/policies/uniform.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kMaxBatchSize = int64_t{1} << 20;
constexpr int64_t kMaxAccumulatedBatches = int64_t{1} << 16;

absl::Status CheckMemory(const PlanRequest& request) {
  if (request.memory_bytes < 0) {
    return InvalidField("precision.memory_bytes", absl::StrCat(request.memory_bytes),
                        "a number of bytes above 0, or 0 for no limit",
                        "Use 8589934592 for 8 GiB.");
  }
  if (request.recipe == Recipe::kBf16 && request.precision.policy == "none") {
    return InvalidField("precision.recipe", "bf16", "paper with policy none, which trains in fp32",
                        "Use policy uniform with low ratio 0 to have everything in bf16.");
  }
  const std::optional<double> ratio = request.precision.low_ratio;
  if (request.memory_bytes > 0 && ratio.has_value() && request.precision.policy != "uniform") {
    return InvalidField("precision.low_ratio", absl::StrCat(*ratio),
                        "nothing with memory_bytes, which chooses it", "Leave one of the two out.");
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const PlanRequest& request) {
  if (request.batch_size < 1 || request.batch_size > kMaxBatchSize) {
    return InvalidField("batch_size", absl::StrCat(request.batch_size),
                        absl::StrCat("1 to ", kMaxBatchSize), "Use 128, the paper's.");
  }
  if (request.accumulate_batches < 1 || request.accumulate_batches > kMaxAccumulatedBatches) {
    return InvalidField("accumulate_batches", absl::StrCat(request.accumulate_batches),
                        absl::StrCat("1 to ", kMaxAccumulatedBatches), "Use 1 for none.");
  }
  // Written so that NaN fails too.
  if (!(request.clip_norm >= 0 && request.clip_norm <= std::numeric_limits<float>::max())) {
    return InvalidField("clip_norm", absl::StrCat(request.clip_norm), "0 or more",
                        "Use 1.0, which is usual for transformers, or 0 for none.");
  }
  if (!(request.ema_decay >= 0 && request.ema_decay < 1)) {
    return InvalidField("ema_decay", absl::StrCat(request.ema_decay), "0.0 to below 1.0",
                        "Use 0.999, or 0 for none.");
  }
  return CheckMemory(request);
}

absl::Status CheckElements(const Graph& graph, const TensorTable& tensors, int64_t batch_size) {
  double elements = ApproximateElements(tensors, batch_size);
  // Those that take no part need memory too.
  for (const Value& value : graph.values())
    elements += ApproximateElements(value.shape, batch_size);
  if (elements <= static_cast<double>(kMaxElements)) return absl::OkStatus();
  return InvalidField(
      "batch_size", absl::StrCat(batch_size),
      absl::StrCat("a batch whose tensors have at most ", kMaxElements, " elements in all"),
      "Use a smaller batch or smaller images.");
}

// The model with its loss, and those parameters frozen that the request says.
absl::StatusOr<Graph> GraphOf(const PlanRequest& request) {
  absl::StatusOr<Graph> graph = request.uploaded != nullptr
                                    ? absl::StatusOr<Graph>(*request.uploaded)
                                    : BuildModel(request.model);
  if (!graph.ok()) return InField(graph.status(), "model");
  absl::Status frozen = FreezeParameters(request.freeze, *graph);
  if (!frozen.ok()) return InField(frozen, "model");
  RETURN_IF_ERROR(AttachLoss(*graph, request.loss));
  return graph;
}

// fp32 computes in fp32 whatever the recipe.
std::vector<MemoryBaseline> Baselines(const Plan& plan) {
  const int64_t batch_size = plan.request.batch_size;
  const Schedule schedule = MakeSchedule(plan.graph, plan.tensors, {});
  const auto model_of = [&](Recipe recipe) {
    PlanRequest request = plan.request;
    request.recipe = recipe;
    return MemoryModel(plan.graph, plan.tensors, schedule, batch_size, MemoryOptionsOf(request));
  };
  std::vector<MemoryBaseline> baselines;
  const auto add = [&](const char* name, const Policy& policy, Recipe recipe,
                       const MemoryModel& model) {
    const std::vector<kernels::Format> formats = InRecipe(
        policy.Assign(plan.graph, plan.tensors, batch_size).value().formats, HighFormat(recipe));
    baselines.push_back({name, model.PeakBytes(formats)});
  };
  const Recipe recipe = plan.request.recipe;
  const MemoryModel model = model_of(recipe);
  if (recipe == Recipe::kPaper) {
    add("fp32", None(), Recipe::kPaper, model);
  } else {
    add("fp32", None(), Recipe::kPaper, model_of(Recipe::kPaper));
  }
  add("16-bit", Uniform(/*low=*/false), recipe, model);
  add("operator", OperatorBased(), recipe, model);
  return baselines;
}

}  // namespace

absl::StatusOr<Plan> MakePlan(const PlanRequest& request) {
  RETURN_IF_ERROR(CheckRequest(request));
  ASSIGN_OR_RETURN(Graph graph, GraphOf(request));
  TensorTable tensors(graph);
  RETURN_IF_ERROR(CheckElements(graph, tensors, request.batch_size));
  const absl::StatusOr<std::unique_ptr<Policy>> policy =
      MakePolicy(request.precision, PolicyContextOf(request));
  if (!policy.ok()) return InField(policy.status(), "precision");
  const FitRequest fit = {.graph = graph,
                          .tensors = tensors,
                          .policy = **policy,
                          .policy_name = request.precision.policy,
                          .high = HighFormat(request.recipe),
                          .batch_size = request.batch_size,
                          .memory = MemoryOptionsOf(request),
                          .memory_bytes = request.memory_bytes,
                          .recompute = request.recompute};
  absl::StatusOr<Fitted> fitted = Fit(fit);
  if (!fitted.ok()) return InField(fitted.status(), "precision");
  if (request.memory_bytes > 0 && fitted->peak_bytes > request.memory_bytes) {
    return Shortfall(fit, *fitted);
  }
  Plan plan{.request = request,
            .graph = std::move(graph),
            .tensors = std::move(tensors),
            .assignment = std::move(fitted->assignment),
            .recompute = std::move(fitted->recompute)};
  Forecast(plan);
  return plan;
}

void Forecast(Plan& plan) {
  const PlanRequest& request = plan.request;
  plan.cost =
      CostOf(plan.tensors, plan.assignment.formats, plan.assignment.group_low, request.batch_size);
  plan.schedule = MakeSchedule(plan.graph, plan.tensors, {.recompute = plan.recompute});
  plan.memory = PredictMemory(plan.graph, plan.tensors, plan.assignment.formats, plan.schedule,
                              request.batch_size, MemoryOptionsOf(request));
  plan.baselines = Baselines(plan);
}

MemoryOptions MemoryOptionsOf(const PlanRequest& request) {
  return {.packed = request.packed,
          .tiles = {.wide = request.recipe == Recipe::kBf16 ? kernels::kBf16 : kernels::kFp32,
                    .tile_bytes = request.tile_bytes},
          .moments = request.optimizer == OptimizerKind::kAdamW ? 2 : 1,
          .optimizer_state = request.optimizer_state,
          .accumulates = request.accumulate_batches > 1,
          .clips = request.clip_norm > 0,
          .averages = request.ema_decay > 0};
}

PolicyContext PolicyContextOf(const PlanRequest& request) {
  return {.memory = MemoryOptionsOf(request), .memory_bytes = request.memory_bytes};
}

kernels::Format HighFormat(Recipe recipe) {
  return recipe == Recipe::kBf16 ? kernels::kBf16 : kernels::kHigh;
}

kernels::Format FormatOf(const Plan& plan, TensorKind kind, ValueId value) {
  const int tensor = plan.tensors.Find(kind, value);
  MANTISSA_CHECK(tensor >= 0, "value ", value, " has no such tensor");
  return plan.assignment.formats[tensor];
}

}  // namespace mantissa::planner
