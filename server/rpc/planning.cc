#include "server/rpc/planning.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "planner/wire/graph_proto.h"
#include "planner/wire/model_proto.h"
#include "planner/wire/plan_proto.h"
#include "server/jobs/errors.h"
#include "server/jobs/names.h"

namespace mantissa::rpc {
namespace {

// Of parameters and buffers that a state dict has under several names.
void AddOtherNames(v1::GetModelResponse& response) {
  std::map<absl::string_view, const v1::SharedTensor*> shared;
  for (const v1::SharedTensor& tensor : response.model().shared_tensors()) {
    shared[tensor.name()] = &tensor;
  }
  for (auto* tensors : {response.mutable_parameters(), response.mutable_buffers()}) {
    for (v1::TensorInfo& tensor : *tensors) {
      const auto found = shared.find(tensor.name());
      if (found != shared.end()) *tensor.mutable_other_names() = found->second->other_names();
    }
  }
}

}  // namespace

absl::StatusOr<WirePlanner::Uploaded> WirePlanner::Find(v1::ModelSpec& spec,
                                                        absl::string_view field) {
  if (planner::IsBuiltinName(spec.model())) return Uploaded{};
  RETURN_IF_ERROR(InField(jobs::CheckName("model", spec.model()), field));
  ASSIGN_OR_RETURN(v1::Model model, models_.Get(spec.model()));
  if (!spec.sha256().empty() && spec.sha256() != model.sha256()) {
    return jobs::Precondition(
        "MODEL_CHANGED", model.name(),
        absl::StrCat("The file of the model `", model.name(), "` has ", model.sha256(),
                     ", not the SHA-256 that was asked for. ",
                     "Leave it out, or upload that file under another name."));
  }
  spec.set_sha256(model.sha256());
  ASSIGN_OR_RETURN(const internal::v1::Graph message, models_.GraphOf(spec.model()));
  ASSIGN_OR_RETURN(planner::Graph graph, planner::GraphFromProto(message));
  return Uploaded{std::move(model), std::make_shared<const planner::Graph>(std::move(graph))};
}

absl::StatusOr<v1::Plan> WirePlanner::MakePlan(const v1::PlanRequest& request) {
  v1::PlanRequest filled = request;
  ASSIGN_OR_RETURN(const Uploaded uploaded, Find(*filled.mutable_model(), "model"));
  return planner::PlanFromRequest(filled, uploaded.graph);
}

absl::StatusOr<v1::ExplainResponse> WirePlanner::Explain(const v1::PlanRequest& request) {
  v1::PlanRequest filled = request;
  ASSIGN_OR_RETURN(const Uploaded uploaded, Find(*filled.mutable_model(), "model"));
  return planner::ExplainFromRequest(filled, uploaded.graph);
}

absl::StatusOr<v1::GetModelResponse> WirePlanner::Describe(const v1::GetModelRequest& request) {
  v1::ModelSpec spec = request.spec();
  ASSIGN_OR_RETURN(Uploaded uploaded, Find(spec, "spec"));
  absl::StatusOr<v1::GetModelResponse> response =
      planner::DescribeModel(spec, request.loss(), uploaded.graph.get());
  if (!response.ok()) {
    const std::vector<FieldViolation> wrong = FieldViolationsOf(response.status());
    const bool is_loss = !wrong.empty() && wrong[0].field == "loss";
    return is_loss ? response.status() : InField(response.status(), "spec");
  }
  if (uploaded.graph == nullptr) return response;
  *response->mutable_model() = std::move(uploaded.model);
  *response->mutable_outputs() = response->model().outputs();
  AddOtherNames(*response);
  return response;
}

}  // namespace mantissa::rpc
