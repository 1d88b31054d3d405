// server/rpc/worker_service.h
//
// mantissa.internal.v1.WorkerService: the server's side of its workers. Served on a Unix socket
// only; every call proves itself by the token of its task's attempt.
//
//   WorkerService service(parts, executor);
//   builder.RegisterService(&service);
#ifndef MANTISSA_SERVER_RPC_WORKER_SERVICE_H_
#define MANTISSA_SERVER_RPC_WORKER_SERVICE_H_

#include "base/file.h"
#include "mantissa/internal/v1/worker.grpc.pb.h"
#include "server/jobs/artifact_store.h"
#include "server/jobs/blob_store.h"
#include "server/jobs/notifier.h"
#include "server/rpc/executor.h"
#include "server/rpc/worker_desk.h"

namespace mantissa::rpc {

class WorkerService : public internal::v1::WorkerService::CallbackService {
 public:
  struct Parts {
    WorkerDesk& desk;
    jobs::BlobStore& blobs;
    jobs::ArtifactStore& artifacts;
    jobs::Notifier& notifier;
    FileSystem& files;
  };
  WorkerService(Parts parts, Executor& executor) : parts_(parts), executor_(executor) {}

  grpc::ServerUnaryReactor* GetTask(grpc::CallbackServerContext* context,
                                    const internal::v1::GetTaskRequest* request,
                                    internal::v1::Task* response) override;
  grpc::ServerWriteReactor<internal::v1::BlobChunk>* ReadBlob(
      grpc::CallbackServerContext* context, const internal::v1::ReadBlobRequest* request) override;
  grpc::ServerBidiReactor<internal::v1::WorkerReport, internal::v1::ServerCommand>* Report(
      grpc::CallbackServerContext* context) override;
  grpc::ServerReadReactor<internal::v1::WriteArtifactRequest>* WriteArtifact(
      grpc::CallbackServerContext* context, internal::v1::WriteArtifactResponse* response) override;
  grpc::ServerWriteReactor<internal::v1::BlobChunk>* ReadArtifact(
      grpc::CallbackServerContext* context,
      const internal::v1::ReadArtifactRequest* request) override;

 private:
  const Parts parts_;
  Executor& executor_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_WORKER_SERVICE_H_
