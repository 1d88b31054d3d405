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
#include "planner/schedule/schedule.h"
#include "planner/wire/memory_proto.h"
#include "planner/wire/model_proto.h"
#include "planner/wire/precision.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kDefaultBatchSize = 128;
// Widest format that a tensor can be stored in, but for fp32.
constexpr int kMostBits = 16;

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

Recompute RecomputeOf(v1::Recompute recompute) {
  switch (recompute) {
    case v1::RECOMPUTE_NONE:
      return Recompute::kNone;
    case v1::RECOMPUTE_CHEAP:
      return Recompute::kCheap;
    default:
      return Recompute::kAuto;
  }
}

OptimizerStateWidth StateOf(v1::OptimizerState state) {
  switch (state) {
    case v1::OPTIMIZER_STATE_BF16:
      return OptimizerStateWidth::kBf16;
    case v1::OPTIMIZER_STATE_INT8:
      return OptimizerStateWidth::kInt8;
    default:
      return OptimizerStateWidth::kFp32;
  }
}

// REQUIRES: NormalizePlanRequest returned `request`.
PlanRequest RequestOf(const v1::PlanRequest& request, double label_smoothing) {
  const v1::PrecisionSpec& precision = request.precision();
  return {.model = ModelOptionsOf(request.model()),
          .loss = {.label_smoothing = label_smoothing},
          .precision = PolicyOptionsOf(precision),
          .batch_size = request.batch_size(),
          .recipe = precision.recipe() == v1::RECIPE_BF16 ? Recipe::kBf16 : Recipe::kPaper,
          .packed = precision.storage() != v1::STORAGE_EMULATED,
          .memory_bytes = precision.memory_bytes(),
          .recompute = RecomputeOf(precision.recompute()),
          .optimizer = request.optimizer() == v1::OPTIMIZER_ADAMW ? OptimizerKind::kAdamW
                                                                  : OptimizerKind::kSgd,
          .optimizer_state = StateOf(request.optimizer_state())};
}

absl::Status CheckAndFillOptimizer(v1::PlanRequest& request) {
  if (!v1::Optimizer_IsValid(request.optimizer())) {
    return InvalidField("optimizer", absl::StrCat(request.optimizer()), "sgd, adamw",
                        "Leave it out for sgd.");
  }
  if (!v1::OptimizerState_IsValid(request.optimizer_state())) {
    return InvalidField("optimizer_state", absl::StrCat(request.optimizer_state()),
                        "fp32, bf16, int8", "Leave it out for fp32.");
  }
  if (request.optimizer() == v1::OPTIMIZER_UNSPECIFIED) request.set_optimizer(v1::OPTIMIZER_SGD);
  if (request.optimizer_state() == v1::OPTIMIZER_STATE_UNSPECIFIED) {
    request.set_optimizer_state(v1::OPTIMIZER_STATE_FP32);
  }
  return absl::OkStatus();
}

void AddMemory(const Plan& plan, v1::Plan& message) {
  *message.mutable_memory() = StepMemoryToProto(plan.graph, plan.memory, /*with_timeline=*/true);
  for (const MemoryBaseline& baseline : plan.baselines) {
    v1::MemoryBaseline& added = *message.add_baselines();
    added.set_name(baseline.name);
    added.set_peak_bytes(baseline.peak_bytes);
  }
  for (ValueId value = 0; value < static_cast<ValueId>(plan.recompute.size()); ++value) {
    if (!plan.recompute[value]) continue;
    const int tensor = plan.tensors.Find(TensorKind::kActivation, value);
    message.add_recompute(plan.tensors.tensors()[tensor].name);
  }
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
    if (format->bits() > kMostBits && *format != kernels::kFp32) {
      return Mismatch(message, absl::StrCat(name, " is ", given.format(),
                                            ", and nothing between 16 bits and fp32 is stored"));
    }
    plan.assignment.formats[i] = *format;
  }
  if (index.empty()) return absl::OkStatus();
  const auto& [kind, name] = index.begin()->first;
  return Mismatch(message, absl::StrCat(v1::TensorKind_Name(kind), " \"", name, "\" is missing"));
}

absl::Status ApplyRecompute(const v1::Plan& message, Plan& plan) {
  plan.recompute.clear();
  if (message.recompute().empty()) return absl::OkStatus();
  const auto index = IndexTensors(plan);
  const std::vector<bool> can = CanRecompute(plan.graph, plan.tensors);
  plan.recompute.assign(can.size(), false);
  for (const std::string& name : message.recompute()) {
    const auto found = index.find({v1::TENSOR_KIND_ACTIVATION, name});
    const std::string what = absl::StrCat("recomputed operator \"", name, "\"");
    if (found == index.end()) return Mismatch(message, what + " is not there");
    const ValueId value = plan.tensors.tensors()[found->second].value;
    if (!can[value]) return Mismatch(message, what + " makes what can't be made again");
    if (plan.recompute[value]) return Mismatch(message, what + " is given twice");
    plan.recompute[value] = true;
  }
  return absl::OkStatus();
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
  RETURN_IF_ERROR(CheckAndFillOptimizer(filled));
  return filled;
}

absl::StatusOr<v1::Plan> PlanFromRequest(const v1::PlanRequest& request) {
  ASSIGN_OR_RETURN(const v1::PlanRequest filled, NormalizePlanRequest(request));
  ASSIGN_OR_RETURN(const Plan plan, MakePlan(RequestOf(filled, /*label_smoothing=*/0)));
  return PlanToProto(plan, filled);
}

absl::StatusOr<v1::ExplainResponse> ExplainFromRequest(const v1::PlanRequest& request) {
  ASSIGN_OR_RETURN(const v1::PlanRequest filled, NormalizePlanRequest(request));
  ASSIGN_OR_RETURN(const Plan plan, MakePlan(RequestOf(filled, /*label_smoothing=*/0)));
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
  message.set_optimizer(request.optimizer());
  message.set_optimizer_state(request.optimizer_state());
  AddMemory(plan, message);
  return message;
}

absl::StatusOr<Plan> PlanFromProto(const v1::Plan& message, double label_smoothing) {
  v1::PlanRequest request;
  *request.mutable_model() = message.model();
  *request.mutable_precision() = message.precision();
  request.set_batch_size(message.batch_size());
  request.set_optimizer(message.optimizer());
  request.set_optimizer_state(message.optimizer_state());
  ASSIGN_OR_RETURN(request, NormalizePlanRequest(request));
  const PlanRequest asked = RequestOf(request, label_smoothing);
  // The message says what was chosen: choosing once more, for a budget too, would be waste.
  PlanRequest unchosen = {.model = asked.model, .precision = {.policy = "none"}};
  unchosen.batch_size = asked.batch_size;
  unchosen.loss.label_smoothing = label_smoothing;
  ASSIGN_OR_RETURN(Plan plan, MakePlan(unchosen));
  plan.request = asked;
  RETURN_IF_ERROR(ApplyGroups(message, plan));
  RETURN_IF_ERROR(ApplyFormats(message, plan));
  RETURN_IF_ERROR(ApplyRecompute(message, plan));
  Forecast(plan);
  if (plan.cost.bits != message.bits()) {
    return Mismatch(message, absl::StrCat("its tensors add up to ", plan.cost.bits,
                                          " bits, it says ", message.bits()));
  }
  return plan;
}

}  // namespace mantissa::planner
