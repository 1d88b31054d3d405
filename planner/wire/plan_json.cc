#include "planner/wire/plan_json.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "planner/wire/precision.h"

namespace mantissa::planner {

using nlohmann::ordered_json;

namespace {

// STORAGE_PACKED with prefix "STORAGE_" as "packed".
std::string Word(const std::string& name, absl::string_view prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

void AddPrecision(const v1::Plan& plan, ordered_json& object) {
  const v1::PrecisionSpec& precision = plan.precision();
  object["policy"] = PolicyNameText(precision.policy());
  if (precision.has_low_ratio()) object["low_ratio"] = precision.low_ratio();
  if (precision.policy() == v1::POLICY_NAME_RANDOM) {
    object["seed"] = absl::StrCat(precision.seed());
  }
  if (precision.memory_bytes() > 0) object["memory_bytes"] = precision.memory_bytes();
  object["recipe"] = Word(v1::Recipe_Name(precision.recipe()), "RECIPE_");
  object["storage"] = Word(v1::Storage_Name(precision.storage()), "STORAGE_");
  object["recompute"] = Word(v1::Recompute_Name(precision.recompute()), "RECOMPUTE_");
  object["optimizer"] = Word(v1::Optimizer_Name(plan.optimizer()), "OPTIMIZER_");
  object["optimizer_state"] =
      Word(v1::OptimizerState_Name(plan.optimizer_state()), "OPTIMIZER_STATE_");
}

void AddTraining(const v1::Plan& plan, ordered_json& object) {
  object["loss"] = absl::StrReplaceAll(Word(v1::Loss_Name(plan.loss()), "LOSS_"), {{"_", "-"}});
  object["label_smoothing"] = plan.label_smoothing();
  if (plan.has_ignore_index()) object["ignore_index"] = plan.ignore_index();
  object["freeze"] = plan.model().freeze();
  object["accumulate_batches"] = plan.accumulate_batches();
  object["clip_norm"] = plan.clip_norm();
  object["ema_decay"] = plan.ema_decay();
}

ordered_json BytesToJson(const v1::MemoryBytes& bytes) {
  return {{"masters", bytes.masters()},
          {"weights", bytes.weights()},
          {"activations", bytes.activations()},
          {"gradients", bytes.gradients()},
          {"optimizer", bytes.optimizer()},
          {"workspace", bytes.workspace()},
          {"total", bytes.total()}};
}

ordered_json PointToJson(const v1::MemoryPoint& point) {
  return {{"phase", Word(v1::StepPhase_Name(point.phase()), "STEP_PHASE_")},
          {"operator", point.operator_()},
          {"bytes", BytesToJson(point.bytes())}};
}

void AddMemory(const v1::Plan& plan, ordered_json& object) {
  object["memory"] = StepMemoryToJson(plan.memory());
  object["baselines"] = ordered_json::array();
  for (const v1::MemoryBaseline& baseline : plan.baselines()) {
    object["baselines"].push_back(
        {{"name", baseline.name()}, {"peak_bytes", baseline.peak_bytes()}});
  }
  object["recomputed"] = plan.recompute();
}

}  // namespace

std::string TensorKindText(v1::TensorKind kind) {
  switch (kind) {
    case v1::TENSOR_KIND_ACTIVATION:
      return "v";
    case v1::TENSOR_KIND_PARAMETER:
      return "theta";
    case v1::TENSOR_KIND_ACTIVATION_GRADIENT:
      return "dv";
    case v1::TENSOR_KIND_PARAMETER_GRADIENT:
      return "dtheta";
    default:
      return "unknown";
  }
}

ordered_json StepMemoryToJson(const v1::StepMemory& memory) {
  return {{"peak_bytes", memory.peak_bytes()},
          {"saved_for_backward_bytes", memory.saved_for_backward_bytes()},
          {"peak", PointToJson(memory.peak())}};
}

ordered_json PlanToJson(const v1::Plan& plan, bool with_tensors) {
  ordered_json object;
  object["model"] = plan.model().model();
  object["width"] = plan.model().width();
  object["classes"] = plan.model().classes();
  object["input_shape"] = plan.model().input_shape();
  object["batch_size"] = plan.batch_size();
  AddPrecision(plan, object);
  AddTraining(plan, object);
  object["total_elements"] = plan.total_elements();
  object["groups"] = ordered_json::array();
  for (const v1::GroupPlan& group : plan.groups()) {
    object["groups"].push_back(
        {{"id", group.id()}, {"elements", group.elements()}, {"low", group.low()}});
  }
  object["ratio_low_groups"] = plan.ratio_low_groups();
  object["ratio_low_bits"] = plan.ratio_low_bits();
  object["bits"] = plan.bits();
  object["bits_high"] = plan.bits_high();
  object["bits_fp32"] = plan.bits_fp32();
  if (plan.has_memory()) AddMemory(plan, object);
  if (!with_tensors) return object;
  object["tensors"] = ordered_json::array();
  for (const v1::TensorPlan& tensor : plan.tensors()) {
    object["tensors"].push_back({{"name", tensor.name()},
                                 {"kind", TensorKindText(tensor.kind())},
                                 {"group", tensor.group()},
                                 {"elements", tensor.elements()},
                                 {"format", tensor.format()}});
  }
  object["timeline"] = ordered_json::array();
  for (const v1::MemoryPoint& point : plan.memory().timeline()) {
    object["timeline"].push_back(PointToJson(point));
  }
  return object;
}

}  // namespace mantissa::planner
