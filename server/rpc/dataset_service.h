// server/rpc/dataset_service.h
//
// mantissa.v1.DatasetService over server/jobs.
//
//   DatasetService service(parts, executor);
//   builder.RegisterService(&service);
#ifndef MANTISSA_SERVER_RPC_DATASET_SERVICE_H_
#define MANTISSA_SERVER_RPC_DATASET_SERVICE_H_

#include "mantissa/v1/dataset.grpc.pb.h"
#include "server/jobs/blob_store.h"
#include "server/jobs/dataset_desk.h"
#include "server/jobs/dataset_store.h"
#include "server/jobs/observer.h"
#include "server/rpc/executor.h"

namespace mantissa::rpc {

class DatasetService : public v1::DatasetService::CallbackService {
 public:
  struct Parts {
    jobs::DatasetDesk& desk;
    jobs::DatasetStore& store;
    jobs::BlobStore& blobs;
    jobs::Observer& observer;
  };
  DatasetService(Parts parts, Executor& executor) : parts_(parts), executor_(executor) {}

  grpc::ServerUnaryReactor* QueryBlob(grpc::CallbackServerContext* context,
                                      const v1::QueryBlobRequest* request,
                                      v1::QueryBlobResponse* response) override;
  grpc::ServerReadReactor<v1::UploadBlobRequest>* UploadBlob(
      grpc::CallbackServerContext* context, v1::UploadBlobResponse* response) override;
  grpc::ServerUnaryReactor* CreateDataset(grpc::CallbackServerContext* context,
                                          const v1::CreateDatasetRequest* request,
                                          v1::Dataset* response) override;
  grpc::ServerUnaryReactor* ListDatasets(grpc::CallbackServerContext* context,
                                         const v1::ListDatasetsRequest* request,
                                         v1::ListDatasetsResponse* response) override;
  grpc::ServerUnaryReactor* GetDataset(grpc::CallbackServerContext* context,
                                       const v1::GetDatasetRequest* request,
                                       v1::Dataset* response) override;
  grpc::ServerUnaryReactor* DeleteDataset(grpc::CallbackServerContext* context,
                                          const v1::DeleteDatasetRequest* request,
                                          v1::DeleteDatasetResponse* response) override;

 private:
  absl::StatusOr<v1::ListDatasetsResponse> List(const v1::ListDatasetsRequest& request);

  const Parts parts_;
  Executor& executor_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_DATASET_SERVICE_H_
