#include "planner/wire/plan_proto.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/explain/explain.h"
#include "planner/wire/model_proto.h"
#include "planner/wire/precision.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kDefaultBatchSize = 128;

v1::TensorKind KindToProto(TensorKind kind) {
  switch (kind) {
    case TensorKind::kActivation:
      return v1::TENSOR_KIND_ACTIVATION;
    case TensorKind::kParameter:
      return v1::TENSOR_KIND_PARAMETER;
    case TensorKind::kActivationGradient:
      return v1::TENSOR_KIND_ACTIVATION_GRADIENT;
    case TensorKind::kParameterGradient:
      return v1::TENSOR_KIND_PARAMETER_GRADIENT;
  }
  return v1::TENSOR_KIND_UNSPECIFIED;
}

v1::TensorPlan TensorToProto(const Plan& plan, size_t index) {
  const Tensor& tensor = plan.tensors.tensors()[index];
  v1::TensorPlan message;
  message.set_name(tensor.name);
  message.set_kind(KindToProto(tensor.kind));
  message.set_group(tensor.group);
  message.set_elements(tensor.Elements(plan.request.batch_size));
  message.set_format(plan.assignment.formats[index].name());
  return message;
}

// REQUIRES: NormalizePlanRequest returned `request`.
absl::StatusOr<Plan> PlanNormalized(const v1::PlanRequest& request, double label_smoothing) {
  return MakePlan({.model = ModelOptionsOf(request.model()),
                   .precision = PolicyOptionsOf(request.precision()),
                   .batch_size = request.batch_size(),
                   .label_smoothing = label_smoothing});
}

absl::Status Mismatch(const v1::Plan& message, const std::string& what) {
  return absl::FailedPreconditionError(
      absl::StrCat("the plan does not fit the model ", message.model().model(),
                   " as built here: ", what, ". Plan the job again with this version."));
}

// Index into plan.tensors.tensors() by kind and name.
std::map<std::pair<v1::TensorKind, std::string>, size_t> IndexTensors(const Plan& plan) {
  std::map<std::pair<v1::TensorKind, std::string>, size_t> index;
  for (size_t i = 0; i < plan.tensors.tensors().size(); ++i) {
    const Tensor& tensor = plan.tensors.tensors()[i];
    index[{KindToProto(tensor.kind), tensor.name}] = i;
  }
  return index;
}

absl::Status ApplyFormats(const v1::Plan& message, Plan& plan) {
  auto index = IndexTensors(plan);
  for (const v1::TensorPlan& given : message.tensors()) {
    const std::string name =
        absl::StrCat(v1::TensorKind_Name(given.kind()), " \"", given.name(), "\"");
    const auto found = index.find({given.kind(), given.name()});
    if (found == index.end()) return Mismatch(message, name + " is not there or given twice");
    const size_t i = found->second;
    index.erase(found);
    const Tensor& tensor = plan.tensors.tensors()[i];
    if (given.group() != tensor.group ||
        given.elements() != tensor.Elements(message.batch_size())) {
      return Mismatch(message, name + " has another group or size");
    }
    absl::StatusOr<kernels::Format> format = kernels::ParseFormat(given.format());
    if (!format.ok()) return Mismatch(message, std::string(format.status().message()));
    plan.assignment.formats[i] = *format;
  }
  if (index.empty()) return absl::OkStatus();
  const auto& [kind, name] = index.begin()->first;
  return Mismatch(message, absl::StrCat(v1::TensorKind_Name(kind), " \"", name, "\" is missing"));
}

absl::Status ApplyGroups(const v1::Plan& message, Plan& plan) {
  if (message.groups_size() != plan.tensors.group_count()) {
    return Mismatch(message, absl::StrCat("it has ", message.groups_size(), " groups, not ",
                                          plan.tensors.group_count()));
  }
  for (int id = 0; id < message.groups_size(); ++id) {
    if (message.groups(id).id() != id) return Mismatch(message, "its groups are not in order");
    plan.assignment.group_low[id] = message.groups(id).low();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::PlanRequest> NormalizePlanRequest(const v1::PlanRequest& request) {
  v1::PlanRequest filled = request;
  ASSIGN_OR_RETURN(*filled.mutable_model(), NormalizeModel(request.model()));
  absl::StatusOr<v1::PrecisionSpec> precision = NormalizePrecision(request.precision());
  if (!precision.ok()) return InField(precision.status(), "precision");
  *filled.mutable_precision() = *std::move(precision);
  if (request.batch_size() == 0) filled.set_batch_size(kDefaultBatchSize);
  return filled;
}

absl::StatusOr<v1::Plan> PlanFromRequest(const v1::PlanRequest& request) {
  ASSIGN_OR_RETURN(const v1::PlanRequest filled, NormalizePlanRequest(request));
  ASSIGN_OR_RETURN(const Plan plan, PlanNormalized(filled, /*label_smoothing=*/0));
  return PlanToProto(plan, filled);
}

absl::StatusOr<v1::ExplainResponse> ExplainFromRequest(const v1::PlanRequest& request) {
  ASSIGN_OR_RETURN(const v1::PlanRequest filled, NormalizePlanRequest(request));
  ASSIGN_OR_RETURN(const Plan plan, PlanNormalized(filled, /*label_smoothing=*/0));
  v1::ExplainResponse response;
  *response.mutable_plan() = PlanToProto(plan, filled);
  const std::vector<std::string> reasons = ExplainPlan(plan);
  for (size_t i = 0; i < reasons.size(); ++i) {
    v1::TensorExplanation& explanation = *response.add_tensors();
    *explanation.mutable_tensor() = response.plan().tensors(static_cast<int>(i));
    explanation.set_reason(reasons[i]);
  }
  return response;
}

v1::Plan PlanToProto(const Plan& plan, const v1::PlanRequest& request) {
  v1::Plan message;
  *message.mutable_model() = request.model();
  *message.mutable_precision() = request.precision();
  message.set_batch_size(plan.request.batch_size);
  message.set_total_elements(plan.cost.total_elements);
  const std::vector<int64_t> elements = plan.tensors.GroupElements(plan.request.batch_size);
  for (int id = 0; id < plan.tensors.group_count(); ++id) {
    v1::GroupPlan& group = *message.add_groups();
    group.set_id(id);
    group.set_elements(elements[id]);
    group.set_low(plan.assignment.group_low[id]);
  }
  message.set_ratio_low_groups(plan.cost.ratio_low_groups);
  message.set_ratio_low_bits(plan.cost.ratio_low_bits);
  message.set_bits(plan.cost.bits);
  message.set_bits_high(plan.cost.bits_high);
  message.set_bits_fp32(plan.cost.bits_fp32);
  for (size_t i = 0; i < plan.tensors.tensors().size(); ++i) {
    *message.add_tensors() = TensorToProto(plan, i);
  }
  return message;
}

absl::StatusOr<Plan> PlanFromProto(const v1::Plan& message, double label_smoothing) {
  v1::PlanRequest request;
  *request.mutable_model() = message.model();
  *request.mutable_precision() = message.precision();
  request.set_batch_size(message.batch_size());
  ASSIGN_OR_RETURN(request, NormalizePlanRequest(request));
  ASSIGN_OR_RETURN(Plan plan, PlanNormalized(request, label_smoothing));
  RETURN_IF_ERROR(ApplyGroups(message, plan));
  RETURN_IF_ERROR(ApplyFormats(message, plan));
  plan.cost = CostOf(plan.tensors, plan.assignment.formats, plan.assignment.group_low,
                     request.batch_size());
  if (plan.cost.bits != message.bits()) {
    return Mismatch(message, absl::StrCat("its tensors add up to ", plan.cost.bits,
                                          " bits, it says ", message.bits()));
  }
  return plan;
}

}  // namespace mantissa::planner
