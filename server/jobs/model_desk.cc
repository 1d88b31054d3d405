#include "server/jobs/model_desk.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "planner/models/models.h"
#include "planner/wire/graph_proto.h"
#include "planner/wire/model_proto.h"
#include "planner/wire/tensor_info.h"
#include "server/jobs/errors.h"
#include "server/jobs/names.h"
#include "server/jobs/times.h"

namespace mantissa::jobs {
namespace {

constexpr size_t kMaxFileName = 1024;  // bytes

std::string Called(const v1::CreateModelRequest& request) {
  return absl::StrCat("The model `", request.name(), "`");
}

// What a worker found, which is not believed: it had the file.
absl::StatusOr<v1::Model> ModelOf(const v1::CreateModelRequest& request,
                                  const internal::v1::InspectedModel& found) {
  const absl::StatusOr<planner::Graph> graph = planner::GraphFromProto(found.graph());
  if (!graph.ok()) {
    return absl::InternalError(
        absl::StrCat(Called(request), " was not read: ", graph.status().message()));
  }
  std::vector<planner::ValueId> outputs;
  for (const int32_t output : found.outputs()) {
    if (output >= 0 && output < found.graph().values_size()) outputs.push_back(output);
  }
  v1::Model model;
  model.set_name(request.name());
  model.set_summary(absl::StrCat(graph->nodes().size(), " operators, ", graph->parameters().size(),
                                 " parameters, from ",
                                 request.file_name().empty() ? "a file" : request.file_name()));
  model.set_source(found.source());
  model.set_sha256(request.sha256());
  model.set_size_bytes(request.size_bytes());
  model.set_file_name(request.file_name());
  model.set_producer(found.producer());
  *model.mutable_shared_tensors() = found.shared_tensors();
  planner::DescribeUpload(*graph, outputs, model);
  return model;
}

}  // namespace

absl::StatusOr<std::optional<v1::Model>> ModelDesk::CheckNew(
    const v1::CreateModelRequest& request) {
  RETURN_IF_ERROR(CheckName("name", request.name()));
  if (planner::FindBuiltinModel(request.name()).ok()) {
    return Invalid("name", request.name(), "names that no built-in model has",
                   "Use a name of its own.");
  }
  RETURN_IF_ERROR(CheckSha256("sha256", request.sha256()));
  RETURN_IF_ERROR(CheckText("file_name", request.file_name(), kMaxFileName));
  if (request.allow_torchscript()) {
    return Invalid("allow_torchscript", "true", "false: this server runs no TorchScript",
                   "Export the module with torch.export.");
  }
  ASSIGN_OR_RETURN(std::optional<v1::Model> known, store_.Find(request.name()));
  if (known.has_value()) {
    RETURN_IF_ERROR(CheckSameFile(*known, request.sha256()));
    return known;
  }
  RETURN_IF_ERROR(blobs_.PathOf(request.sha256()));
  ASSIGN_OR_RETURN(const BlobState state, blobs_.Query(request.sha256(), request.size_bytes()));
  if (!state.complete) return absl::AbortedError("The file was removed just now. Try again.");
  return std::nullopt;
}

void ModelDesk::Create(const v1::CreateModelRequest& request, Done done) {
  absl::StatusOr<std::optional<v1::Model>> known = CheckNew(request);
  if (!known.ok()) return done(known.status());
  if (known->has_value()) return done(**std::move(known));
  Inspection inspection{.what = Called(request), .remedy = "Use a smaller model."};
  *inspection.task.mutable_inspect_model()->mutable_request() = request;
  inspections_.Start(std::move(inspection), [this, request, done = std::move(done)](
                                                absl::StatusOr<internal::v1::WorkerReport> found) {
    if (!found.ok()) return done(found.status());
    done(Keep(request, found->model_inspected()));
  });
}

absl::StatusOr<v1::Model> ModelDesk::Keep(const v1::CreateModelRequest& request,
                                          const internal::v1::InspectedModel& found) {
  ASSIGN_OR_RETURN(v1::Model model, ModelOf(request, found));
  ToProto(clock_.Now(), *model.mutable_create_time());
  RETURN_IF_ERROR(store_.Insert(model, found.graph()));
  return store_.Get(request.name());
}

absl::Status ModelDesk::Delete(absl::string_view name) {
  if (planner::IsBuiltinName(name)) {
    return Invalid("name", "a built-in model's", "the name of an uploaded model",
                   "Built-in models are part of the server.");
  }
  RETURN_IF_ERROR(CheckName("name", name));
  ASSIGN_OR_RETURN(const std::string blob, store_.Remove(name));
  return blobs_.RemoveUnused({blob});
}

}  // namespace mantissa::jobs
