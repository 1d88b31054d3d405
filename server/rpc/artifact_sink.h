// server/rpc/artifact_sink.h
//
// The messages of WorkerService.WriteArtifact go to the artifact store.
//
//   StartPushStream(context, executor, response,
//                   std::make_unique<ArtifactSink>(artifacts, pool, worker));
#ifndef MANTISSA_SERVER_RPC_ARTIFACT_SINK_H_
#define MANTISSA_SERVER_RPC_ARTIFACT_SINK_H_

#include <memory>

#include "mantissa/internal/v1/worker.pb.h"
#include "server/jobs/artifact_store.h"
#include "server/rpc/push_stream.h"
#include "server/rpc/worker_desk.h"

namespace mantissa::rpc {

class ArtifactSink
    : public PushSink<internal::v1::WriteArtifactRequest, internal::v1::WriteArtifactResponse> {
 public:
  ArtifactSink(jobs::ArtifactStore& artifacts, jobs::WorkerPool& pool,
               absl::StatusOr<WorkerId> worker)
      : artifacts_(artifacts), pool_(pool), worker_(std::move(worker)) {}

  absl::Status Take(const internal::v1::WriteArtifactRequest& request) override;
  absl::StatusOr<internal::v1::WriteArtifactResponse> Finish() override;
  void BreakOff() override { writer_.reset(); }

 private:
  jobs::ArtifactStore& artifacts_;
  jobs::WorkerPool& pool_;
  const absl::StatusOr<WorkerId> worker_;
  std::unique_ptr<jobs::ArtifactWriter> writer_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_ARTIFACT_SINK_H_
