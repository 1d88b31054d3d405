#include "server/rpc/artifact_sink.h"

#include "base/status.h"

namespace mantissa::rpc {

absl::Status ArtifactSink::Take(const internal::v1::WriteArtifactRequest& request) {
  RETURN_IF_ERROR(worker_);
  pool_.Heard(worker_->task);
  if (request.has_header() != (writer_ == nullptr)) {
    return InvalidField("header", request.has_header() ? "sent again" : "not sent",
                        "in the first message and only there", "Send the header, then chunks.");
  }
  if (!request.has_header()) return writer_->Append(request.chunk());
  ASSIGN_OR_RETURN(writer_, artifacts_.Create(worker_->task, request.header().name(),
                                              request.header().hidden()));
  return absl::OkStatus();
}

absl::StatusOr<internal::v1::WriteArtifactResponse> ArtifactSink::Finish() {
  RETURN_IF_ERROR(worker_);
  if (writer_ == nullptr) {
    return InvalidField("header", "not sent", "in the first message", "Send the header first.");
  }
  ASSIGN_OR_RETURN(const v1::Artifact artifact, writer_->Finish());
  internal::v1::WriteArtifactResponse response;
  response.set_size_bytes(artifact.size_bytes());
  response.set_sha256(artifact.sha256());
  return response;
}

}  // namespace mantissa::rpc
