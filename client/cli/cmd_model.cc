#include "client/cli/cmd_model.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "client/cc/errors.h"
#include "client/cc/model.h"
#include "client/cc/transfer.h"
#include "client/cli/flag.h"
#include "client/cli/job_text.h"
#include "client/cli/model_name.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "client/cli/transfer_view.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "mantissa/v1/model.pb.h"
#include "planner/wire/model_proto.h"

namespace mantissa::cli {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

bool AsksHere(const Invocation& run) {
  return run.arguments().Has("--local") || !run.settings().server_configured;
}

std::string Widths(const v1::Model& model) {
  return absl::StrJoin(model.widths(), ", ",
                       [](std::string* out, double width) { absl::StrAppend(out, Number(width)); });
}

std::string ShapeText(const v1::TensorInfo& tensor) {
  const std::string sizes =
      absl::StrJoin(tensor.shape(), ", ", [](std::string* out, const v1::Dimension& dim) {
        if (!dim.times_batch()) return absl::StrAppend(out, dim.size());
        absl::StrAppend(out, dim.size() == 1 ? "batch" : absl::StrCat(dim.size(), "*batch"));
      });
  return absl::StrCat(EnumText(v1::DataType_descriptor(), tensor.data_type()), " [", sizes, "]");
}

std::string TensorsText(const google::protobuf::RepeatedPtrField<v1::TensorInfo>& tensors) {
  return absl::StrJoin(tensors, "; ", [](std::string* out, const v1::TensorInfo& tensor) {
    absl::StrAppend(out, tensor.name(), ": ", ShapeText(tensor));
  });
}

std::string ModelTable(const v1::ListModelsResponse& response) {
  Table table({{"MODEL"}, {"WIDTHS"}, {"INPUT FROM", Table::kRight}, {"WHAT"}});
  for (const v1::Model& model : response.models()) {
    const int64_t size = model.min_input_size();
    table.AddRow({model.name(), model.widths().empty() ? "-" : Widths(model),
                  size == 0 ? "-" : absl::StrCat(size, "x", size), model.summary()});
  }
  return table.Render();
}

// Where an uploaded model comes from; empty for a built-in one.
Facts Origin(const v1::Model& model) {
  if (model.source() <= v1::MODEL_SOURCE_BUILTIN) return {};
  return {{"format", EnumText(v1::ModelSource_descriptor(), model.source())},
          {"written by", model.producer()},
          {"file", model.file_name()},
          {"size", Bytes(model.size_bytes())},
          {"sha-256", model.sha256()},
          {"created", model.has_create_time() ? Moment(TimeOf(model.create_time())) : ""}};
}

std::string OperatorTable(const v1::GetModelResponse& response) {
  Table table({{"GROUP", Table::kRight},
               {"OPERATOR"},
               {"ATEN"},
               {"OUTPUT", Table::kRight},
               {"PARAMETERS", Table::kRight}});
  for (const v1::OperatorInfo& op : response.operators()) {
    table.AddRow({op.group() < 0 ? "-" : absl::StrCat(op.group()), op.name(),
                  absl::StrCat(op.op(), op.unknown() ? " (not known)" : ""),
                  Count(op.output_elements_per_sample()), Count(op.parameter_elements())});
  }
  return table.Render();
}

// The tensors of an uploaded model, by name.
std::string TensorTable(const v1::GetModelResponse& response) {
  Table table(
      {{"TENSOR"}, {"KIND"}, {"TYPE AND SHAPE"}, {"GROUP", Table::kRight}, {"ALSO CALLED"}});
  const auto add = [&](const auto& tensors, const char* kind) {
    for (const v1::TensorInfo& tensor : tensors) {
      table.AddRow({tensor.name(), tensor.frozen() ? "frozen" : kind, ShapeText(tensor),
                    tensor.group() < 0 ? "-" : absl::StrCat(tensor.group()),
                    absl::StrJoin(tensor.other_names(), ", ")});
    }
  };
  add(response.parameters(), "parameter");
  add(response.buffers(), "buffer");
  add(response.constants(), "constant");
  return table.Render();
}

std::string ShapesText(const v1::ModelSpec& spec) {
  return absl::StrCat(spec.width() > 0 ? absl::StrCat("width ", Number(spec.width()), ", ") : "",
                      spec.classes() > 0 ? absl::StrCat(spec.classes(), " classes, ") : "",
                      "input ", absl::StrJoin(spec.input_shape(), "x"));
}

std::string DescriptionText(const v1::GetModelResponse& response) {
  const v1::Model& model = response.model();
  Facts facts = {
      {"model", model.name()},
      {"what", model.summary()},
      {"widths", Widths(model)},
      {"shapes", ShapesText(response.spec())},
      {"takes", TensorsText(response.inputs())},
      {"returns", TensorsText(response.outputs())},
      {"loss", EnumText(v1::Loss_descriptor(), response.loss())},
      {"groups", absl::StrCat(response.groups())},
      {"parameters", Count(response.parameter_elements())},
      {"not known", absl::StrJoin(response.unknown_operators(), ", ")},
  };
  const Facts origin = Origin(model);
  facts.insert(facts.end(), origin.begin(), origin.end());
  return absl::StrCat(OperatorTable(response), "\n",
                      origin.empty() ? "" : absl::StrCat(TensorTable(response), "\n"),
                      RenderFacts(facts));
}

std::string PushedText(const v1::Model& model) {
  Facts facts = {{"model", model.name()},
                 {"what", model.summary()},
                 {"takes", TensorsText(model.inputs())},
                 {"returns", TensorsText(model.outputs())},
                 {"parameters", Count(model.parameter_elements())}};
  const Facts origin = Origin(model);
  facts.insert(facts.end(), origin.begin(), origin.end());
  return RenderFacts(facts);
}

absl::StatusOr<v1::GetModelResponse> Describe(Invocation& run, const v1::GetModelRequest& request) {
  if (request.spec().sha256().empty() && AsksHere(run)) {
    auto response = planner::DescribeModel(request.spec(), request.loss());
    if (!response.ok()) return client::AsFromCall(response.status());
    return response;
  }
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  return client->GetModel(request);
}

// All pages in one answer.
absl::StatusOr<v1::ListModelsResponse> ListAll(client::Client& client) {
  v1::ListModelsResponse all;
  v1::ListModelsRequest request;
  do {
    ASSIGN_OR_RETURN(const v1::ListModelsResponse page, client.ListModels(request));
    all.mutable_models()->MergeFrom(page.models());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

}  // namespace

absl::StatusOr<ExitCode> RunModelList(Invocation& run) {
  v1::ListModelsResponse response;
  if (AsksHere(run)) {
    response = planner::ListBuiltinModels();
  } else {
    ASSIGN_OR_RETURN(client::Client * client, run.Connect());
    ASSIGN_OR_RETURN(response, ListAll(*client));
  }
  run.Print(response, [&] { return ModelTable(response); });
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunModelDescribe(Invocation& run) {
  v1::GetModelRequest request;
  RETURN_IF_ERROR(run.Fill(&request));
  request.mutable_spec()->set_model(FullModelName(run.Positional(0)));
  RETURN_IF_ERROR(UploadIfFile(run, request.mutable_spec()));
  ASSIGN_OR_RETURN(const v1::GetModelResponse response, Describe(run, request));
  run.Print(response, [&] { return DescriptionText(response); });
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunModelPush(Invocation& run) {
  v1::CreateModelRequest request;
  request.set_name(run.Positional(0));
  ASSIGN_OR_RETURN(const client::LocalFile file,
                   client::HashFile(run.io().files(), run.Positional(1)));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  TransferView view(run.io(), "sent");
  ASSIGN_OR_RETURN(const client::PushedModel pushed,
                   client::PushModel(*client, run.io().files(), file, request, view.Options()));
  view.Done();
  run.io().Err(pushed.sent_bytes == 0 ? "nothing sent: the server had all of it\n"
                                      : absl::StrCat(Bytes(pushed.sent_bytes), " sent\n"));
  run.Print(pushed.model, [&] { return PushedText(pushed.model); });
  return kSucceeded;
}

absl::StatusOr<ExitCode> RunModelRemove(Invocation& run) {
  v1::DeleteModelRequest request;
  request.set_name(run.Positional(0));
  ASSIGN_OR_RETURN(client::Client * client, run.Connect());
  RETURN_IF_ERROR(client->DeleteModel(request));
  run.Print(v1::DeleteModelResponse(),
            [&] { return absl::StrCat("removed ", Printable(run.Positional(0)), "\n"); });
  return kSucceeded;
}

}  // namespace mantissa::cli
