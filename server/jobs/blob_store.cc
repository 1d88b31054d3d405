#include "server/jobs/blob_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "server/jobs/errors.h"
#include "server/jobs/names.h"

namespace mantissa::jobs {
namespace {

constexpr int64_t kDiskCheckEvery = int64_t{64} << 20;

// Whether nothing holds the blob `b`.
constexpr char kUnused[] =
    "NOT EXISTS (SELECT 1 FROM dataset_blobs d WHERE d.sha256 = b.sha256) AND "
    "NOT EXISTS (SELECT 1 FROM models m WHERE m.sha256 = b.sha256) AND "
    "NOT EXISTS (SELECT 1 FROM jobs j WHERE j.state <= 3 AND j.init_sha256 = b.sha256)";

absl::Status HashFile(FileSystem& files, const std::string& path, Sha256& hash) {
  ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  std::string buffer(1 << 20, '\0');
  for (int64_t offset = 0; offset < file->size(); offset += buffer.size()) {
    const auto count = std::min<int64_t>(buffer.size(), file->size() - offset);
    RETURN_IF_ERROR(file->ReadAt(offset, absl::MakeSpan(buffer).first(count)));
    hash.Update(absl::string_view(buffer).substr(0, count));
  }
  return absl::OkStatus();
}

}  // namespace

BlobUpload::~BlobUpload() {
  file_.reset();
  store_->Release(sha256_);
}

absl::Status BlobUpload::Append(absl::string_view bytes) {
  const auto count = static_cast<int64_t>(bytes.size());
  if (file_->size() + count > size_) {
    return Invalid("chunk", absl::StrCat("data up to byte ", file_->size() + count),
                   absl::StrCat("at most header.size_bytes, ", size_), "Declare the file's size.");
  }
  until_disk_check_ -= count;
  if (until_disk_check_ < 0) {
    RETURN_IF_ERROR(store_->CheckLimits(sha256_, size_, file_->size()));
    until_disk_check_ = kDiskCheckEvery;
  }
  RETURN_IF_ERROR(file_->Append(bytes));
  hash_.Update(bytes);
  return absl::OkStatus();
}

absl::StatusOr<BlobState> BlobUpload::Finish() {
  RETURN_IF_ERROR(file_->Sync());
  const int64_t committed = file_->size();
  file_.reset();
  if (committed < size_) return BlobState{.committed_bytes = committed};
  return store_->Complete(sha256_, size_, hash_.Finish());
}

BlobStore::BlobStore(StateDatabase& state, FileSystem& files, Clock& clock, std::string folder,
                     BlobLimits limits)
    : state_(state), files_(files), clock_(clock), folder_(std::move(folder)), limits_(limits) {}

std::string BlobStore::PartPath(absl::string_view sha256) const {
  return absl::StrCat(FinalPath(sha256), ".part");
}

absl::Status BlobStore::CheckLimits(absl::string_view sha256, int64_t size,
                                    int64_t committed) const {
  if (size < 0) {
    return Invalid("size_bytes", size, "0 or more", "Declare the size of the file.");
  }
  if (size > limits_.max_blob_bytes) {
    return OverLimit(
        absl::StrCat("blob:", sha256),
        absl::StrCat("size_bytes is ", size, "; allowed at most ", limits_.max_blob_bytes,
                     " bytes a file. Split the data into smaller files, or start "
                     "mantissad with a larger --max-blob-bytes."));
  }
  ASSIGN_OR_RETURN(const int64_t free, files_.FreeBytes(folder_));
  if (size - committed > free - limits_.reserve_bytes) {
    return OverLimit(
        "disk", absl::StrCat("The upload needs ", size - committed, " bytes; the data disk has ",
                             free, " free, of which ", limits_.reserve_bytes,
                             " are kept. Delete data sets or free some disk space."));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> BlobStore::IsComplete(absl::string_view sha256) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows,
                   state_.db().Query("SELECT complete FROM blobs WHERE sha256 = ?", sha256));
  const bool complete = rows.Next() && rows.Int(0) != 0;
  RETURN_IF_ERROR(rows.status());
  return complete && files_.Exists(FinalPath(sha256));
}

absl::StatusOr<BlobState> BlobStore::StateOf(absl::string_view sha256) {
  ASSIGN_OR_RETURN(const bool complete, IsComplete(sha256));
  const std::string path = complete ? FinalPath(sha256) : PartPath(sha256);
  if (!files_.Exists(path)) return BlobState();
  ASSIGN_OR_RETURN(const int64_t size, files_.Size(path));
  return BlobState{.committed_bytes = size, .complete = complete};
}

absl::Status BlobStore::Touch(absl::string_view sha256, int64_t size, bool complete) {
  absl::MutexLock lock(&state_.mutex());
  return state_.db().Run(
      "INSERT INTO blobs(sha256, size, complete, touch_time) VALUES(?1, ?2, ?3, ?4) "
      "ON CONFLICT(sha256) DO UPDATE SET size = ?2, complete = ?3, touch_time = ?4",
      sha256, size, int64_t{complete}, absl::ToUnixNanos(clock_.Now()));
}

absl::StatusOr<BlobState> BlobStore::Query(absl::string_view sha256, int64_t size) {
  RETURN_IF_ERROR(CheckSha256("sha256", sha256));
  ASSIGN_OR_RETURN(const BlobState state, StateOf(sha256));
  if (state.complete && state.committed_bytes != size) {
    return Invalid("size_bytes", size, absl::StrCat(state.committed_bytes, ", as that blob has"),
                   "Check the file's size and hash.");
  }
  if (!state.complete) RETURN_IF_ERROR(CheckLimits(sha256, size, state.committed_bytes));
  if (state.complete) RETURN_IF_ERROR(Touch(sha256, size, true));
  return state;
}

absl::StatusOr<std::unique_ptr<BlobUpload>> BlobStore::Begin(absl::string_view sha256, int64_t size,
                                                             int64_t offset) {
  RETURN_IF_ERROR(Query(sha256, size));
  RETURN_IF_ERROR(Take(sha256));
  auto upload = std::make_unique<BlobUpload>();
  upload->store_ = this;
  upload->sha256_ = std::string(sha256);
  upload->size_ = size;
  ASSIGN_OR_RETURN(const BlobState state, StateOf(sha256));
  if (offset != state.committed_bytes || state.complete || state.committed_bytes > size) {
    return absl::OutOfRangeError(absl::StrCat("header.offset is ", offset, "; allowed ",
                                              state.committed_bytes,
                                              state.complete ? ", the blob is complete." : ".",
                                              " Ask QueryBlob and go on from committed_bytes."));
  }
  const std::string part = PartPath(sha256);
  // A crash after the rename and before the row: its bytes are verified again.
  if (files_.Exists(FinalPath(sha256))) RETURN_IF_ERROR(files_.Remove(FinalPath(sha256)));
  RETURN_IF_ERROR(Touch(sha256, size, /*complete=*/false));
  if (offset > 0) RETURN_IF_ERROR(HashFile(files_, part, upload->hash_));
  ASSIGN_OR_RETURN(upload->file_, files_.OpenForAppend(part));
  return upload;
}

absl::StatusOr<BlobState> BlobStore::Complete(absl::string_view sha256, int64_t size,
                                              absl::string_view found_sha256) {
  if (found_sha256 != sha256) {
    files_.Remove(PartPath(sha256)).IgnoreError();
    return absl::DataLossError(
        absl::StrCat("The uploaded bytes have the SHA-256 ", found_sha256, "; declared was ",
                     sha256, ". The file changed or was damaged on the way: upload it again."));
  }
  RETURN_IF_ERROR(files_.Rename(PartPath(sha256), FinalPath(sha256)));
  RETURN_IF_ERROR(Touch(sha256, size, /*complete=*/true));
  return BlobState{.committed_bytes = size, .complete = true};
}

absl::StatusOr<std::string> BlobStore::PathOf(absl::string_view sha256) {
  ASSIGN_OR_RETURN(const bool complete, IsComplete(sha256));
  if (complete) return FinalPath(sha256);
  return Precondition(
      "BLOB_MISSING", sha256,
      absl::StrCat("The blob ", sha256, " is not on the server. Upload it with UploadBlob first."));
}

absl::Status BlobStore::RemoveUnused(const std::vector<std::string>& candidates) {
  for (const std::string& sha256 : candidates) {
    if (!Take(sha256).ok()) continue;  // somebody uploads it again
    bool unused = false;
    absl::Status status;
    {
      absl::MutexLock lock(&state_.mutex());
      status = state_.db().Run(
          absl::StrCat("DELETE FROM blobs AS b WHERE b.sha256 = ? AND ", kUnused), sha256);
      unused = status.ok() && state_.db().changes() > 0;
    }
    if (unused) {
      files_.Remove(FinalPath(sha256)).IgnoreError();
      files_.Remove(PartPath(sha256)).IgnoreError();
    }
    Release(sha256);
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status BlobStore::RemoveStale() {
  std::vector<std::string> stale;
  {
    absl::MutexLock lock(&state_.mutex());
    ASSIGN_OR_RETURN(
        Rows rows,
        state_.db().Query(
            absl::StrCat("SELECT b.sha256 FROM blobs b WHERE b.touch_time < ? AND ", kUnused),
            absl::ToUnixNanos(clock_.Now() - limits_.unused_keep)));
    while (rows.Next()) stale.push_back(rows.Text(0));
    RETURN_IF_ERROR(rows.status());
  }
  if (!stale.empty()) LogInfo("removes ", stale.size(), " blobs that nothing uses");
  return RemoveUnused(stale);
}

absl::Status BlobStore::Take(absl::string_view sha256) {
  absl::MutexLock lock(&mutex_);
  if (taken_.insert(std::string(sha256)).second) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("Another upload of the blob ", sha256, " runs. Try again when it has ended."));
}

void BlobStore::Release(absl::string_view sha256) {
  absl::MutexLock lock(&mutex_);
  taken_.erase(taken_.find(sha256));
}

}  // namespace mantissa::jobs
