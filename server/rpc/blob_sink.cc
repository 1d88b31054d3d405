#include "server/rpc/blob_sink.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace mantissa::rpc {

absl::Status BlobSink::Take(const v1::UploadBlobRequest& request) {
  if (request.has_header() != (upload_ == nullptr)) {
    return InvalidField("header", request.has_header() ? "sent again" : "not sent",
                        "in the first message and only there", "Send the header, then chunks.");
  }
  if (request.has_header()) {
    const v1::UploadBlobHeader& header = request.header();
    ASSIGN_OR_RETURN(upload_, blobs_.Begin(header.sha256(), header.size_bytes(), header.offset()));
    return absl::OkStatus();
  }
  if (request.chunk().size() > kMaxChunkBytes) {
    return InvalidField("chunk", absl::StrCat(request.chunk().size(), " bytes"),
                        absl::StrCat("at most ", kMaxChunkBytes), "Send smaller chunks.");
  }
  RETURN_IF_ERROR(upload_->Append(request.chunk()));
  observer_.OnUploaded(request.chunk().size());
  return absl::OkStatus();
}

absl::StatusOr<v1::UploadBlobResponse> BlobSink::Finish() {
  if (upload_ == nullptr) {
    return InvalidField("header", "not sent", "in the first message", "Send the header first.");
  }
  ASSIGN_OR_RETURN(const jobs::BlobState state, upload_->Finish());
  upload_.reset();
  v1::UploadBlobResponse response;
  response.set_committed_bytes(state.committed_bytes);
  response.set_complete(state.complete);
  return response;
}

void BlobSink::BreakOff() {
  // Dropping it keeps the part file: the store syncs and verifies when the blob is whole.
  upload_.reset();
}

}  // namespace mantissa::rpc
