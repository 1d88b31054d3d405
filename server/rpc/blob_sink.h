// server/rpc/blob_sink.h
//
// The messages of DatasetService.UploadBlob go to the blob store.
//
//   StartPushStream(context, executor, response, std::make_unique<BlobSink>(blobs, observer));
#ifndef MANTISSA_SERVER_RPC_BLOB_SINK_H_
#define MANTISSA_SERVER_RPC_BLOB_SINK_H_

#include <memory>

#include "mantissa/v1/dataset.pb.h"
#include "server/jobs/blob_store.h"
#include "server/jobs/observer.h"
#include "server/rpc/push_stream.h"

namespace mantissa::rpc {

// Largest chunk that the API allows, in bytes.
inline constexpr size_t kMaxChunkBytes = size_t{2} << 20;

class BlobSink : public PushSink<v1::UploadBlobRequest, v1::UploadBlobResponse> {
 public:
  BlobSink(jobs::BlobStore& blobs, jobs::Observer& observer) : blobs_(blobs), observer_(observer) {}

  absl::Status Take(const v1::UploadBlobRequest& request) override;
  absl::StatusOr<v1::UploadBlobResponse> Finish() override;
  // What came is kept, for the next upload to go on from.
  void BreakOff() override;

 private:
  jobs::BlobStore& blobs_;
  jobs::Observer& observer_;
  std::unique_ptr<jobs::BlobUpload> upload_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_BLOB_SINK_H_
