#include "server/rpc/worker_service.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "server/rpc/artifact_sink.h"
#include "server/rpc/file_source.h"
#include "server/rpc/pull_stream.h"
#include "server/rpc/push_stream.h"
#include "server/rpc/report_stream.h"
#include "server/rpc/unary.h"

namespace mantissa::rpc {
namespace {

using internal::v1::BlobChunk;
using internal::v1::ServerCommand;
using internal::v1::WorkerReport;
using internal::v1::WriteArtifactRequest;
using internal::v1::WriteArtifactResponse;

// Ends a Report stream that was not let in.
class RefusedStream : public grpc::ServerBidiReactor<WorkerReport, ServerCommand> {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerUnaryReactor* WorkerService::GetTask(grpc::CallbackServerContext* context,
                                                 const internal::v1::GetTaskRequest* request,
                                                 internal::v1::Task* response) {
  const absl::StatusOr<WorkerId> worker = parts_.desk.Authenticate(*context);
  return RunUnary(
      context, executor_, request, response,
      [this, worker](const internal::v1::GetTaskRequest& r) -> absl::StatusOr<internal::v1::Task> {
        RETURN_IF_ERROR(worker);
        LogInfo("worker ", r.pid(), " on ", r.host(), " asks for ", worker->task);
        return parts_.desk.TaskOf(*worker);
      });
}

grpc::ServerWriteReactor<BlobChunk>* WorkerService::ReadBlob(
    grpc::CallbackServerContext* context, const internal::v1::ReadBlobRequest* request) {
  const auto open =
      [this, worker = parts_.desk.Authenticate(*context), sha256 = request->sha256(),
       offset = request->offset()]() -> absl::StatusOr<std::unique_ptr<PullSource<BlobChunk>>> {
    RETURN_IF_ERROR(worker);
    RETURN_IF_ERROR(parts_.desk.CheckMayRead(*worker, sha256));
    ASSIGN_OR_RETURN(const std::string path, parts_.blobs.PathOf(sha256));
    return FileSource<BlobChunk>::Open(parts_.files, path, offset, BlobChunk());
  };
  return StartPullStream<BlobChunk>(executor_, MakeLazySource<BlobChunk>(open));
}

grpc::ServerBidiReactor<WorkerReport, ServerCommand>* WorkerService::Report(
    grpc::CallbackServerContext* context) {
  const absl::StatusOr<WorkerId> worker = parts_.desk.Authenticate(*context);
  if (!worker.ok()) return new RefusedStream(ToGrpcStatus(worker.status()));
  return ReportStream::Start(parts_.desk, parts_.notifier, executor_, *worker);
}

grpc::ServerReadReactor<WriteArtifactRequest>* WorkerService::WriteArtifact(
    grpc::CallbackServerContext* context, WriteArtifactResponse* response) {
  std::unique_ptr<PushSink<WriteArtifactRequest, WriteArtifactResponse>> sink =
      std::make_unique<ArtifactSink>(parts_.artifacts, parts_.desk.pool(),
                                     parts_.desk.Authenticate(*context));
  return StartPushStream(context, executor_, response, std::move(sink));
}

grpc::ServerWriteReactor<BlobChunk>* WorkerService::ReadArtifact(
    grpc::CallbackServerContext* context, const internal::v1::ReadArtifactRequest* request) {
  const auto open =
      [this, worker = parts_.desk.Authenticate(*context),
       name = request->name()]() -> absl::StatusOr<std::unique_ptr<PullSource<BlobChunk>>> {
    RETURN_IF_ERROR(worker);
    ASSIGN_OR_RETURN(const jobs::StoredArtifact found, parts_.artifacts.Find(worker->task, name));
    return FileSource<BlobChunk>::Open(parts_.files, found.path, 0, BlobChunk());
  };
  return StartPullStream<BlobChunk>(executor_, MakeLazySource<BlobChunk>(open));
}

}  // namespace mantissa::rpc
