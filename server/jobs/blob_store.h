// server/jobs/blob_store.h
//
// Blobs: files named by their SHA-256 under DATA_DIR/blobs, uploaded in pieces.
//
//   ASSIGN_OR_RETURN(BlobState state, store.Query(sha256, size));  // how much is there
//   ASSIGN_OR_RETURN(auto upload, store.Begin(sha256, size, state.committed_bytes));
//   RETURN_IF_ERROR(upload->Append(chunk));
//   ASSIGN_OR_RETURN(state, upload->Finish());  // DATA_LOSS if the hash is another
//
// An upload that breaks off keeps what it has in `SHA256.part`; the next one goes on from there.
// A blob is complete only after its hash was seen to be right. Thread-safe; an upload is not.
#ifndef MANTISSA_SERVER_JOBS_BLOB_STORE_H_
#define MANTISSA_SERVER_JOBS_BLOB_STORE_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "server/jobs/state_database.h"

namespace mantissa::jobs {

struct BlobState {
  int64_t committed_bytes = 0;
  bool complete = false;
};

struct BlobLimits {
  // Largest blob in bytes.
  int64_t max_blob_bytes = int64_t{8} << 30;
  // Bytes of the disk that stay free.
  int64_t reserve_bytes = int64_t{1} << 30;
  // A blob that nothing uses is removed when nobody has asked for it for this long.
  absl::Duration unused_keep = absl::Hours(24 * 7);
};

class BlobStore;

// One upload. While it exists no other upload of the same blob may begin.
class BlobUpload {
 public:
  ~BlobUpload();
  // INVALID_ARGUMENT beyond the declared size, RESOURCE_EXHAUSTED when the disk fills.
  absl::Status Append(absl::string_view bytes);
  // Keeps what came; verifies it when it is all. REQUIRES: called at most once.
  absl::StatusOr<BlobState> Finish();

 private:
  friend class BlobStore;
  BlobStore* store_;
  std::string sha256_;
  int64_t size_ = 0;
  int64_t until_disk_check_ = 0;  // bytes
  std::unique_ptr<AppendableFile> file_;
  Sha256 hash_;  // of the file so far
};

class BlobStore {
 public:
  BlobStore(StateDatabase& state, FileSystem& files, Clock& clock, std::string folder,
            BlobLimits limits);

  // RESOURCE_EXHAUSTED if a blob of that size would not be taken, INVALID_ARGUMENT for a hash that
  // is none or a size that is not the known blob's.
  absl::StatusOr<BlobState> Query(absl::string_view sha256, int64_t size);

  // OUT_OF_RANGE if `offset` is not the committed size, ABORTED while another upload runs.
  absl::StatusOr<std::unique_ptr<BlobUpload>> Begin(absl::string_view sha256, int64_t size,
                                                    int64_t offset);

  // Path of a complete blob, else FAILED_PRECONDITION that says to upload it.
  absl::StatusOr<std::string> PathOf(absl::string_view sha256);

  // Removes, of `candidates`, what no data set, no model and no job that has not ended uses.
  absl::Status RemoveUnused(const std::vector<std::string>& candidates);
  // The same of all blobs that nobody touched for `unused_keep`.
  absl::Status RemoveStale();

  const BlobLimits& limits() const { return limits_; }
  absl::StatusOr<int64_t> FreeBytes() const { return files_.FreeBytes(folder_); }

 private:
  friend class BlobUpload;

  std::string FinalPath(absl::string_view sha256) const { return JoinPath(folder_, sha256); }
  std::string PartPath(absl::string_view sha256) const;
  absl::Status CheckLimits(absl::string_view sha256, int64_t size, int64_t committed) const;
  absl::StatusOr<bool> IsComplete(absl::string_view sha256);
  absl::StatusOr<BlobState> StateOf(absl::string_view sha256);
  absl::Status Touch(absl::string_view sha256, int64_t size, bool complete);
  // Takes the blob for one writer; ABORTED if somebody has it.
  absl::Status Take(absl::string_view sha256);
  void Release(absl::string_view sha256);
  absl::StatusOr<BlobState> Complete(absl::string_view sha256, int64_t size,
                                     absl::string_view found_sha256);

  StateDatabase& state_;
  FileSystem& files_;
  Clock& clock_;
  const std::string folder_;
  const BlobLimits limits_;
  absl::Mutex mutex_;
  std::set<std::string, std::less<>> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_BLOB_STORE_H_
