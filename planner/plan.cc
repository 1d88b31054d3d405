#include "planner/plan.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/policies/registry.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kMaxBatchSize = int64_t{1} << 20;

absl::Status CheckRequest(const PlanRequest& request) {
  if (request.batch_size < 1 || request.batch_size > kMaxBatchSize) {
    return InvalidField("batch_size", absl::StrCat(request.batch_size),
                        absl::StrCat("1 to ", kMaxBatchSize), "Use 128, the paper's.");
  }
  // Written so that NaN fails too.
  if (!(request.label_smoothing >= 0 && request.label_smoothing < 1)) {
    return InvalidField("label_smoothing", absl::StrCat(request.label_smoothing),
                        "0.0 to below 1.0", "Use 0 for none, 0.1 for the usual amount.");
  }
  return absl::OkStatus();
}

absl::Status CheckElements(const TensorTable& tensors, int64_t batch_size) {
  if (ApproximateElements(tensors, batch_size) <= static_cast<double>(kMaxElements)) {
    return absl::OkStatus();
  }
  return InvalidField(
      "batch_size", absl::StrCat(batch_size),
      absl::StrCat("a batch whose tensors have at most ", kMaxElements, " elements in all"),
      "Use a smaller batch or smaller images.");
}

}  // namespace

absl::StatusOr<Plan> MakePlan(const PlanRequest& request) {
  RETURN_IF_ERROR(CheckRequest(request));
  absl::StatusOr<Graph> graph = BuildModel(request.model);
  if (!graph.ok()) return InField(graph.status(), "model");
  AttachClassificationLoss(*graph, request.label_smoothing);
  TensorTable tensors(*graph);
  RETURN_IF_ERROR(CheckElements(tensors, request.batch_size));
  absl::StatusOr<std::unique_ptr<Policy>> policy = MakePolicy(request.precision);
  if (!policy.ok()) return InField(policy.status(), "precision");
  absl::StatusOr<Assignment> assignment = (*policy)->Assign(*graph, tensors, request.batch_size);
  if (!assignment.ok()) return InField(assignment.status(), "precision");
  const Cost cost = CostOf(tensors, assignment->formats, assignment->group_low, request.batch_size);
  return Plan{.request = request,
              .graph = *std::move(graph),
              .tensors = std::move(tensors),
              .assignment = *std::move(assignment),
              .cost = cost};
}

kernels::Format FormatOf(const Plan& plan, TensorKind kind, ValueId value) {
  const int tensor = plan.tensors.Find(kind, value);
  MANTISSA_CHECK(tensor >= 0, "value ", value, " has no such tensor");
  return plan.assignment.formats[tensor];
}

}  // namespace mantissa::planner
