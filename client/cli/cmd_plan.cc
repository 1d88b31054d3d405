#include "client/cli/cmd_plan.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "client/cc/errors.h"
#include "client/cli/job_text.h"
#include "client/cli/precision.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "mantissa/v1/planner.pb.h"
#include "nlohmann/json.hpp"
#include "planner/wire/plan_json.h"
#include "planner/wire/plan_proto.h"

namespace mantissa::cli {
namespace {

bool PlansHere(const Invocation& run) {
  return run.arguments().Has("--local") || !run.settings().server_configured;
}

absl::StatusOr<v1::PlanRequest> Request(const Invocation& run) {
  v1::PlanRequest request;
  RETURN_IF_ERROR(run.Fill(&request));
  if (request.has_precision()) DropUnusedRatio(run.io(), request.mutable_precision());
  if (request.model().model().empty()) {
    return absl::InvalidArgumentError(
        "--model is missing; `mantissa model list` shows the models there are.");
  }
  return request;
}

absl::StatusOr<v1::Plan> MakePlan(Invocation& run, const v1::PlanRequest& request) {
  if (PlansHere(run)) {
    auto plan = planner::PlanFromRequest(request);
    if (!plan.ok()) return client::AsFromCall(plan.status());
    return plan;
  }
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  ASSIGN_OR_RETURN(v1::PlanResponse response, client->Plan(request));
  return std::move(*response.mutable_plan());
}

absl::StatusOr<v1::ExplainResponse> MakeExplanation(Invocation& run, const v1::PlanRequest& plan) {
  if (PlansHere(run)) {
    auto response = planner::ExplainFromRequest(plan);
    if (!response.ok()) return client::AsFromCall(response.status());
    return response;
  }
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  v1::ExplainRequest request;
  *request.mutable_plan() = plan;
  return client->Explain(request);
}

std::string Summary(const v1::Plan& plan) {
  const auto share = [&](int64_t bits) {
    return absl::StrCat(BitsAsBytes(bits), " (",
                        Percent(static_cast<double>(bits) / static_cast<double>(plan.bits_fp32())),
                        " of fp32)");
  };
  return RenderFacts({
      {"model", absl::StrCat(plan.model().model(), ", width ", Number(plan.model().width()), ", ",
                             plan.model().classes(), " classes")},
      {"policy", PolicyText(plan.precision())},
      {"batch size", absl::StrCat(plan.batch_size())},
      {"elements", Count(plan.total_elements())},
      {"low groups", absl::StrCat(Percent(plan.ratio_low_groups()), " of the elements")},
      {"low ratio", absl::StrCat(Percent(plan.ratio_low_bits()), " by bits")},
      {"tensors", share(plan.bits())},
      {"all high", share(plan.bits_high())},
      {"fp32", BitsAsBytes(plan.bits_fp32())},
  });
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
