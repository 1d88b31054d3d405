#include "server/rpc/dataset_service.h"

#include <memory>
#include <utility>

#include "base/status.h"
#include "server/rpc/blob_sink.h"
#include "server/rpc/page.h"
#include "server/rpc/push_stream.h"
#include "server/rpc/status.h"
#include "server/rpc/unary.h"

namespace mantissa::rpc {

grpc::ServerUnaryReactor* DatasetService::QueryBlob(grpc::CallbackServerContext* context,
                                                    const v1::QueryBlobRequest* request,
                                                    v1::QueryBlobResponse* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::QueryBlobRequest& r) -> absl::StatusOr<v1::QueryBlobResponse> {
                    ASSIGN_OR_RETURN(const jobs::BlobState state,
                                     parts_.blobs.Query(r.sha256(), r.size_bytes()));
                    v1::QueryBlobResponse result;
                    result.set_committed_bytes(state.committed_bytes);
                    result.set_complete(state.complete);
                    return result;
                  });
}

grpc::ServerReadReactor<v1::UploadBlobRequest>* DatasetService::UploadBlob(
    grpc::CallbackServerContext* context, v1::UploadBlobResponse* response) {
  std::unique_ptr<PushSink<v1::UploadBlobRequest, v1::UploadBlobResponse>> sink =
      std::make_unique<BlobSink>(parts_.blobs, parts_.observer);
  return StartPushStream(context, executor_, response, std::move(sink));
}

grpc::ServerUnaryReactor* DatasetService::CreateDataset(grpc::CallbackServerContext* context,
                                                        const v1::CreateDatasetRequest* request,
                                                        v1::Dataset* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool taken = executor_.TryPost([=, this] {
    parts_.desk.Create(*request, [=](absl::StatusOr<v1::Dataset> dataset) {
      if (dataset.ok()) *response = *std::move(dataset);
      reactor->Finish(ToGrpcStatus(dataset.status()));
    });
  });
  if (!taken) reactor->Finish(ToGrpcStatus(Busy()));
  return reactor;
}

grpc::ServerUnaryReactor* DatasetService::ListDatasets(grpc::CallbackServerContext* context,
                                                       const v1::ListDatasetsRequest* request,
                                                       v1::ListDatasetsResponse* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::ListDatasetsRequest& r) { return List(r); });
}

absl::StatusOr<v1::ListDatasetsResponse> DatasetService::List(
    const v1::ListDatasetsRequest& request) {
  ASSIGN_OR_RETURN(const int limit, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::string after, ParsePageToken("datasets", request.page_token()));
  ASSIGN_OR_RETURN(jobs::DatasetPage page, parts_.store.List(after, limit));
  v1::ListDatasetsResponse response;
  if (page.more) {
    response.set_next_page_token(MakePageToken("datasets", page.datasets.back().name()));
  }
  for (v1::Dataset& dataset : page.datasets) *response.add_datasets() = std::move(dataset);
  return response;
}

grpc::ServerUnaryReactor* DatasetService::GetDataset(grpc::CallbackServerContext* context,
                                                     const v1::GetDatasetRequest* request,
                                                     v1::Dataset* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::GetDatasetRequest& r) { return parts_.store.Get(r.name()); });
}

grpc::ServerUnaryReactor* DatasetService::DeleteDataset(grpc::CallbackServerContext* context,
                                                        const v1::DeleteDatasetRequest* request,
                                                        v1::DeleteDatasetResponse* response) {
  return RunUnary(
      context, executor_, request, response,
      [this](const v1::DeleteDatasetRequest& r) -> absl::StatusOr<v1::DeleteDatasetResponse> {
        RETURN_IF_ERROR(parts_.desk.Delete(r.name()));
        return v1::DeleteDatasetResponse();
      });
}

}  // namespace mantissa::rpc
