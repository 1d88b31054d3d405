#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/schedule/schedule.h"
#include "planner/wire/plan_proto.h"

namespace mantissa::planner {
namespace {

// Widest format that a tensor can be stored in, but for fp32.
constexpr int kMostBits = 16;

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
    index[{TensorKindToProto(tensor.kind), tensor.name}] = i;
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

absl::StatusOr<Plan> PlanFromProto(const v1::Plan& message, const UploadedGraph& uploaded) {
  v1::PlanRequest request;
  *request.mutable_model() = message.model();
  *request.mutable_precision() = message.precision();
  request.set_batch_size(message.batch_size());
  request.set_optimizer(message.optimizer());
  request.set_optimizer_state(message.optimizer_state());
  request.set_loss(message.loss());
  request.set_label_smoothing(message.label_smoothing());
  if (message.has_ignore_index()) request.set_ignore_index(message.ignore_index());
  request.set_accumulate_batches(message.accumulate_batches());
  request.set_clip_norm(message.clip_norm());
  request.set_ema_decay(message.ema_decay());
  ASSIGN_OR_RETURN(request, NormalizePlanRequest(request, uploaded));
  const PlanRequest asked = RequestOf(request, uploaded);
  // The message says what was chosen: choosing once more, for a budget too, would be waste.
  const PlanRequest unchosen = {.model = asked.model,
                                .uploaded = uploaded,
                                .loss = asked.loss,
                                .freeze = asked.freeze,
                                .precision = {.policy = "none"},
                                .batch_size = asked.batch_size};
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
