// client/cc/transfer.h
//
// Moves files to and from the server: hashed, resumed after a break, checked at the end.
//
//   ASSIGN_OR_RETURN(LocalFile file, HashFile(files, "digits.npz"));
//   ASSIGN_OR_RETURN(UploadResult result, UploadFile(client, files, file, {}));
//   result.sent_bytes;  // 0 if the server had them all
//
//   RETURN_IF_ERROR(FetchFile(client, files, "job-1", "history.jsonl", "history.jsonl", {}));

#ifndef MANTISSA_CLIENT_CC_TRANSFER_H_
#define MANTISSA_CLIENT_CC_TRANSFER_H_

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file.h"
#include "client/cc/client.h"

namespace mantissa::client {

struct LocalFile {
  std::string path;
  std::string sha256;  // 64 lower-case hex digits
  int64_t size_bytes = 0;
};

struct TransferOptions {
  // Bytes there now and in all; called often. May be empty.
  std::function<void(int64_t, int64_t)> on_progress;
  std::function<void(const absl::Status&)> on_break;
  std::stop_token stop;
};

struct UploadResult {
  // Bytes that travelled, those of broken attempts included.
  int64_t sent_bytes = 0;
};

// Reads the whole file once.
absl::StatusOr<LocalFile> HashFile(FileSystem& files, const std::string& path);

// Sends what the server does not have yet. Goes on after a break at the offset that the server
// tells. DataLoss if the file changes meanwhile.
absl::StatusOr<UploadResult> UploadFile(Client& client, FileSystem& files, const LocalFile& file,
                                        const TransferOptions& options);

// Fetches an artifact of a job to `destination`, which is replaced at once when all bytes are
// there and have the declared hash. What a broken-off fetch left beside it, in
// "`destination`.HASH.part", is taken up again by the next one.
// NotFound if the job has no such artifact: the message names those it has.
absl::Status FetchFile(Client& client, FileSystem& files, const std::string& job_id,
                       const std::string& artifact, const std::string& destination,
                       const TransferOptions& options);

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_TRANSFER_H_
