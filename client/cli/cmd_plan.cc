#include "client/cli/cmd_plan.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "client/cc/errors.h"
#include "client/cli/flag.h"
#include "client/cli/job_text.h"
#include "client/cli/memory_text.h"
#include "client/cli/model_name.h"
#include "client/cli/precision.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "mantissa/v1/planner.pb.h"
#include "nlohmann/json.hpp"
#include "planner/wire/plan_json.h"
#include "planner/wire/plan_proto.h"
#include "planner/wire/precision.h"

namespace mantissa::cli {
namespace {

// A model in a file is read by a server only.
bool PlansHere(const Invocation& run, const v1::PlanRequest& request) {
  return request.model().sha256().empty() &&
         (run.arguments().Has("--local") || !run.settings().server_configured);
}

absl::StatusOr<v1::PlanRequest> Request(Invocation& run) {
  v1::PlanRequest request;
  RETURN_IF_ERROR(run.Fill(&request));
  if (request.has_precision()) DropUnusedRatio(run.io(), request.mutable_precision());
  if (request.model().model().empty()) {
    return absl::InvalidArgumentError(
        "--model is missing; `mantissa model list` shows the models there are.");
  }
  RETURN_IF_ERROR(UploadIfFile(run, request.mutable_model()));
  return request;
}

absl::StatusOr<v1::Plan> MakePlan(Invocation& run, const v1::PlanRequest& request) {
  if (PlansHere(run, request)) {
    auto plan = planner::PlanFromRequest(request);
    if (!plan.ok()) return client::AsFromCall(plan.status());
    return plan;
  }
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(v1::PlanResponse response, client->Plan(request));
  return std::move(*response.mutable_plan());
}

absl::StatusOr<v1::ExplainResponse> MakeExplanation(Invocation& run, const v1::PlanRequest& plan) {
  if (PlansHere(run, plan)) {
    auto response = planner::ExplainFromRequest(plan);
    if (!response.ok()) return client::AsFromCall(response.status());
    return response;
  }
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  v1::ExplainRequest request;
  *request.mutable_plan() = plan;
  return client->Explain(request);
}

std::string RatioText(const v1::Plan& plan) {
  const v1::PrecisionSpec& precision = plan.precision();
  const bool chosen = precision.memory_bytes() > 0 && !precision.has_low_ratio() &&
                      planner::TakesLowRatio(precision.policy());
  return absl::StrCat(Percent(plan.ratio_low_groups()), " of the elements",
                      chosen ? ", chosen by the budget" : "");
}

// "builtin:resnet18, width 1, 10 classes".
std::string ModelText(const v1::ModelSpec& model) {
  std::string text = model.model();
  if (model.width() > 0) absl::StrAppend(&text, ", width ", Number(model.width()));
  if (model.classes() > 0) absl::StrAppend(&text, ", ", model.classes(), " classes");
  if (!model.freeze().empty()) {
    absl::StrAppend(&text, ", frozen: ", absl::StrJoin(model.freeze(), ", "));
  }
  return text;
}

// "adamw, moments in int8"; empty for what needs no saying.
std::string OptimizerText(const v1::Plan& plan) {
  const bool usual =
      plan.optimizer() <= v1::OPTIMIZER_SGD && plan.optimizer_state() <= v1::OPTIMIZER_STATE_FP32;
  if (usual) return "";
  return absl::StrCat(EnumText(v1::Optimizer_descriptor(), plan.optimizer()), ", moments in ",
                      EnumText(v1::OptimizerState_descriptor(), plan.optimizer_state()));
}

std::string MemoryTables(const v1::Plan& plan) {
  if (!plan.has_memory()) return "";
  const std::string baselines = BaselineTable(plan.memory().peak_bytes(), plan.baselines());
  return absl::StrCat(KindTable(plan.memory().peak().bytes()), baselines.empty() ? "" : "\n",
                      baselines, "\n");
}

// What was asked for, last: a terminal shows it when the tables have scrolled by.
MemoryFacts Answer(const v1::Plan& plan) {
  const auto share = [&](int64_t bits) {
    return absl::StrCat(BitsAsBytes(bits), " (",
                        Percent(static_cast<double>(bits) / static_cast<double>(plan.bits_fp32())),
                        " of fp32)");
  };
  const v1::PrecisionSpec& precision = plan.precision();
  MemoryFacts facts = {
      {"model", ModelText(plan.model())},
      {"loss",
       plan.loss() <= v1::LOSS_CROSS_ENTROPY ? "" : EnumText(v1::Loss_descriptor(), plan.loss())},
      {"policy", PolicyText(precision)},
      {"recipe", precision.recipe() == v1::RECIPE_BF16 ? "bf16" : ""},
      {"storage", precision.storage() == v1::STORAGE_EMULATED ? "emulated, 4 bytes each" : ""},
      {"optimizer", OptimizerText(plan)},
      {"batch size",
       plan.accumulate_batches() > 1
           ? absl::StrCat(plan.batch_size(), ", ", plan.accumulate_batches(), " of them a step")
           : absl::StrCat(plan.batch_size())},
      {"elements", Count(plan.total_elements())},
      {"low groups", RatioText(plan)},
      {"low ratio", absl::StrCat(Percent(plan.ratio_low_bits()), " by bits")},
      {"tensors", share(plan.bits())},
      {"all high", share(plan.bits_high())},
      {"fp32", BitsAsBytes(plan.bits_fp32())},
  };
  const MemoryFacts memory = PlannedMemoryFacts(plan);
  facts.insert(facts.end(), memory.begin(), memory.end());
  return facts;
}

std::string Summary(const v1::Plan& plan) {
  return absl::StrCat(MemoryTables(plan), RenderFacts(Answer(plan)));
}

std::string PlanTable(const v1::Plan& plan) {
  Table table({{"GROUP", Table::kRight}, {"ELEMENTS", Table::kRight}, {"PRECISION"}});
  for (const v1::GroupPlan& group : plan.groups()) {
    table.AddRow({absl::StrCat(group.id()), Count(group.elements()), group.low() ? "low" : "high"});
  }
  return absl::StrCat(table.Render(), "\n", Summary(plan));
}

std::string ExplainTable(const v1::ExplainResponse& response) {
  Table table({{"GROUP", Table::kRight},
               {"TENSOR"},
               {"KIND"},
               {"ELEMENTS", Table::kRight},
               {"FORMAT"},
               {"REASON"}});
  for (const v1::TensorExplanation& entry : response.tensors()) {
    const v1::TensorPlan& tensor = entry.tensor();
    table.AddRow({absl::StrCat(tensor.group()), tensor.name(),
                  planner::TensorKindText(tensor.kind()), Count(tensor.elements()), tensor.format(),
                  entry.reason()});
  }
  return absl::StrCat(table.Render(), "\n", Summary(response.plan()));
}

}  // namespace

absl::StatusOr<ExitCode> RunPlan(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::PlanRequest request, Request(run));
  ASSIGN_OR_RETURN(const v1::Plan plan, MakePlan(run, request));
  run.io().Out(run.settings().json
                   ? absl::StrCat(planner::PlanToJson(plan, /*with_tensors=*/false).dump(2), "\n")
                   : PlanTable(plan));
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunExplain(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::PlanRequest request, Request(run));
  ASSIGN_OR_RETURN(const v1::ExplainResponse response, MakeExplanation(run, request));
  run.Print(response, [&] { return ExplainTable(response); });
  return kSucceeded;
}

}  // namespace mantissa::cli
