#include "client/cli/cmd_model.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "client/cc/errors.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "mantissa/v1/model.pb.h"
#include "planner/wire/model_proto.h"

namespace mantissa::cli {
namespace {

bool AsksHere(const Invocation& run) {
  return run.arguments().Has("--local") || !run.settings().server_configured;
}

std::string Widths(const v1::Model& model) {
  return absl::StrJoin(model.widths(), ", ",
                       [](std::string* out, double width) { absl::StrAppend(out, Number(width)); });
}

std::string ModelTable(const v1::ListModelsResponse& response) {
  Table table({{"MODEL"}, {"WIDTHS"}, {"INPUT FROM", Table::kRight}, {"WHAT"}});
  for (const v1::Model& model : response.models()) {
    table.AddRow({model.name(), Widths(model),
                  absl::StrCat(model.min_input_size(), "x", model.min_input_size()),
                  model.summary()});
  }
  return table.Render();
}

std::string DescriptionTable(const v1::GetModelResponse& response) {
  Table table({{"GROUP", Table::kRight},
               {"OPERATOR"},
               {"ATEN"},
               {"OUTPUT", Table::kRight},
               {"PARAMETERS", Table::kRight}});
  for (const v1::OperatorInfo& op : response.operators()) {
    table.AddRow({op.group() < 0 ? "-" : absl::StrCat(op.group()), op.name(), op.op(),
                  Count(op.output_elements_per_sample()), Count(op.parameter_elements())});
  }
  const v1::ModelSpec& spec = response.spec();
  return absl::StrCat(
      table.Render(), "\n",
      RenderFacts({
          {"model", response.model().name()},
          {"what", response.model().summary()},
          {"widths", Widths(response.model())},
          {"shapes", absl::StrCat("width ", Number(spec.width()), ", ", spec.classes(),
                                  " classes, input ", absl::StrJoin(spec.input_shape(), "x"))},
          {"parameters", Count(response.parameter_elements())},
      }));
}

absl::StatusOr<v1::GetModelResponse> Describe(Invocation& run, const v1::GetModelRequest& request) {
  if (AsksHere(run)) {
    auto response = planner::DescribeModel(request.spec());
    if (!response.ok()) return client::AsFromCall(response.status());
    return response;
  }
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  return client->GetModel(request);
}

}  // namespace

absl::StatusOr<ExitCode> RunModelList(Invocation& run) {
  v1::ListModelsResponse response;
  if (AsksHere(run)) {
    response = planner::ListBuiltinModels();
  } else {
    ASSIGN_OR_RETURN(client::Client * client, run.Connect());
    ASSIGN_OR_RETURN(response, client->ListModels());
  }
  run.Print(response, [&] { return ModelTable(response); });
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunModelDescribe(Invocation& run) {
  v1::GetModelRequest request;
  RETURN_IF_ERROR(run.Fill(&request));
  request.mutable_spec()->set_model(FullModelName(run.Positional(0)));
  ASSIGN_OR_RETURN(const v1::GetModelResponse response, Describe(run, request));
  run.Print(response, [&] { return DescriptionTable(response); });
  return kSucceeded;
}

}  // namespace mantissa::cli
