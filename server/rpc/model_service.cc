#include "server/rpc/model_service.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "planner/wire/model_proto.h"
#include "server/rpc/page.h"
#include "server/rpc/status.h"
#include "server/rpc/unary.h"

namespace mantissa::rpc {
namespace {

// All there are, in most places: the built-in ones and a few more.
constexpr int kDefaultPageSize = 1000;

}  // namespace

grpc::ServerUnaryReactor* ModelService::ListModels(grpc::CallbackServerContext* context,
                                                   const v1::ListModelsRequest* request,
                                                   v1::ListModelsResponse* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::ListModelsRequest& r) { return List(r); });
}

absl::StatusOr<v1::ListModelsResponse> ModelService::List(const v1::ListModelsRequest& request) {
  ASSIGN_OR_RETURN(int limit, PageSize(request.page_size()));
  if (request.page_size() == 0) limit = kDefaultPageSize;
  ASSIGN_OR_RETURN(const std::string after, ParsePageToken("models", request.page_token()));
  ASSIGN_OR_RETURN(jobs::ModelPage page, parts_.store.List(after, limit));
  // What comes after the last uploaded one of this page belongs to a later page.
  const std::string last = page.more ? page.models.back().name() : "";
  std::vector<v1::Model> models = std::move(page.models);
  const v1::ListModelsResponse builtins = planner::ListBuiltinModels();
  for (const v1::Model& builtin : builtins.models()) {
    if (builtin.name() > after && (!page.more || builtin.name() < last)) models.push_back(builtin);
  }
  std::sort(models.begin(), models.end(),
            [](const v1::Model& a, const v1::Model& b) { return a.name() < b.name(); });
  const bool more = page.more || models.size() > static_cast<size_t>(limit);
  models.resize(std::min(models.size(), static_cast<size_t>(limit)));
  v1::ListModelsResponse response;
  if (more) response.set_next_page_token(MakePageToken("models", models.back().name()));
  for (v1::Model& model : models) *response.add_models() = std::move(model);
  return response;
}

grpc::ServerUnaryReactor* ModelService::GetModel(grpc::CallbackServerContext* context,
                                                 const v1::GetModelRequest* request,
                                                 v1::GetModelResponse* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::GetModelRequest& r) { return parts_.planner.Describe(r); });
}

grpc::ServerUnaryReactor* ModelService::CreateModel(grpc::CallbackServerContext* context,
                                                    const v1::CreateModelRequest* request,
                                                    v1::Model* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool taken = executor_.TryPost([=, this] {
    parts_.desk.Create(*request, [=](absl::StatusOr<v1::Model> model) {
      if (model.ok()) *response = *std::move(model);
      reactor->Finish(ToGrpcStatus(model.status()));
    });
  });
  if (!taken) reactor->Finish(ToGrpcStatus(Busy()));
  return reactor;
}

grpc::ServerUnaryReactor* ModelService::DeleteModel(grpc::CallbackServerContext* context,
                                                    const v1::DeleteModelRequest* request,
                                                    v1::DeleteModelResponse* response) {
  return RunUnary(
      context, executor_, request, response,
      [this](const v1::DeleteModelRequest& r) -> absl::StatusOr<v1::DeleteModelResponse> {
        RETURN_IF_ERROR(parts_.desk.Delete(r.name()));
        return v1::DeleteModelResponse();
      });
}

}  // namespace mantissa::rpc
