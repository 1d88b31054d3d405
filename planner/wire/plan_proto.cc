#include "planner/wire/plan_proto.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/explain/explain.h"
#include "planner/wire/memory_proto.h"
#include "planner/wire/model_proto.h"
#include "planner/wire/precision.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kDefaultBatchSize = 128;
v1::TensorPlan TensorToProto(const Plan& plan, size_t index) {
  const Tensor& tensor = plan.tensors.tensors()[index];
  v1::TensorPlan message;
  message.set_name(tensor.name);
  message.set_kind(TensorKindToProto(tensor.kind));
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

absl::Status CheckAndFillLoss(v1::PlanRequest& request) {
  if (!v1::Loss_IsValid(request.loss())) {
    return InvalidField("loss", absl::StrCat(request.loss()), "cross-entropy, nll, mse, bce",
                        "Leave it out for cross-entropy.");
  }
  if (request.loss() == v1::LOSS_UNSPECIFIED) request.set_loss(v1::LOSS_CROSS_ENTROPY);
  const bool labels = HasLabels(LossKindOf(request.loss()));
  if (request.has_ignore_index() && !labels) {
    return InvalidField("ignore_index", absl::StrCat(request.ignore_index()),
                        "none with the losses mse and bce", "Leave it out.");
  }
  if (labels && !request.has_ignore_index()) request.set_ignore_index(LossOptions().ignore_index);
  if (request.accumulate_batches() == 0) request.set_accumulate_batches(1);
  return absl::OkStatus();
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

}  // namespace

v1::TensorKind TensorKindToProto(TensorKind kind) {
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

PlanRequest RequestOf(const v1::PlanRequest& request, const UploadedGraph& uploaded) {
  const v1::PrecisionSpec& precision = request.precision();
  return {.model = uploaded == nullptr ? ModelOptionsOf(request.model()) : ModelOptions(),
          .uploaded = uploaded,
          .loss = {.kind = LossKindOf(request.loss()),
                   .label_smoothing = request.label_smoothing(),
                   .ignore_index = request.ignore_index()},
          .freeze = {request.model().freeze().begin(), request.model().freeze().end()},
          .precision = PolicyOptionsOf(precision),
          .batch_size = request.batch_size(),
          .recipe = precision.recipe() == v1::RECIPE_BF16 ? Recipe::kBf16 : Recipe::kPaper,
          .packed = precision.storage() != v1::STORAGE_EMULATED,
          .memory_bytes = precision.memory_bytes(),
          .recompute = RecomputeOf(precision.recompute()),
          .optimizer = request.optimizer() == v1::OPTIMIZER_ADAMW ? OptimizerKind::kAdamW
                                                                  : OptimizerKind::kSgd,
          .optimizer_state = StateOf(request.optimizer_state()),
          .accumulate_batches = request.accumulate_batches(),
          .clip_norm = request.clip_norm(),
          .ema_decay = request.ema_decay()};
}

absl::StatusOr<v1::PlanRequest> NormalizePlanRequest(const v1::PlanRequest& request,
                                                     const UploadedGraph& uploaded) {
  v1::PlanRequest filled = request;
  absl::StatusOr<v1::ModelSpec> model = NormalizeModel(request.model(), uploaded.get());
  if (!model.ok()) return InField(model.status(), "model");
  *filled.mutable_model() = *std::move(model);
  absl::StatusOr<v1::PrecisionSpec> precision = NormalizePrecision(request.precision());
  if (!precision.ok()) return InField(precision.status(), "precision");
  *filled.mutable_precision() = *std::move(precision);
  if (request.batch_size() == 0) filled.set_batch_size(kDefaultBatchSize);
  RETURN_IF_ERROR(CheckAndFillOptimizer(filled));
  RETURN_IF_ERROR(CheckAndFillLoss(filled));
  return filled;
}

absl::StatusOr<v1::Plan> PlanFromRequest(const v1::PlanRequest& request,
                                         const UploadedGraph& uploaded) {
  ASSIGN_OR_RETURN(const v1::PlanRequest filled, NormalizePlanRequest(request, uploaded));
  ASSIGN_OR_RETURN(const Plan plan, MakePlan(RequestOf(filled, uploaded)));
  return PlanToProto(plan, filled);
}

absl::StatusOr<v1::ExplainResponse> ExplainFromRequest(const v1::PlanRequest& request,
                                                       const UploadedGraph& uploaded) {
  ASSIGN_OR_RETURN(const v1::PlanRequest filled, NormalizePlanRequest(request, uploaded));
  ASSIGN_OR_RETURN(const Plan plan, MakePlan(RequestOf(filled, uploaded)));
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
  message.set_loss(request.loss());
  message.set_label_smoothing(request.label_smoothing());
  if (request.has_ignore_index()) message.set_ignore_index(request.ignore_index());
  message.set_accumulate_batches(request.accumulate_batches());
  message.set_clip_norm(request.clip_norm());
  message.set_ema_decay(request.ema_decay());
  AddMemory(plan, message);
  return message;
}

}  // namespace mantissa::planner
