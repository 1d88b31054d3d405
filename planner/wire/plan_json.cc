#include "planner/wire/plan_json.h"

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "planner/wire/precision.h"

namespace mantissa::planner {

using nlohmann::ordered_json;

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

ordered_json PlanToJson(const v1::Plan& plan, bool with_tensors) {
  ordered_json object;
  object["model"] = plan.model().model();
  object["width"] = plan.model().width();
  object["classes"] = plan.model().classes();
  object["input_shape"] = plan.model().input_shape();
  object["batch_size"] = plan.batch_size();
  object["policy"] = PolicyNameText(plan.precision().policy());
  if (plan.precision().has_low_ratio()) object["low_ratio"] = plan.precision().low_ratio();
  if (plan.precision().policy() == v1::POLICY_NAME_RANDOM) {
    object["seed"] = absl::StrCat(plan.precision().seed());
  }
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
  if (!with_tensors) return object;
  object["tensors"] = ordered_json::array();
  for (const v1::TensorPlan& tensor : plan.tensors()) {
    object["tensors"].push_back({{"name", tensor.name()},
                                 {"kind", TensorKindText(tensor.kind())},
                                 {"group", tensor.group()},
                                 {"elements", tensor.elements()},
                                 {"format", tensor.format()}});
  }
  return object;
}

}  // namespace mantissa::planner
