#include "client/cc/transfer.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "base/hash.h"
#include "base/status.h"
#include "client/cc/errors.h"

namespace mantissa::client {
namespace {

// Half of the largest chunk that the API allows.
constexpr int64_t kChunkBytes = int64_t{1} << 20;

// The next bytes of `file` from `offset` on, at most a chunk of them before `end`.
absl::StatusOr<std::string> ReadChunk(const ReadableFile& file, int64_t offset, int64_t end) {
  std::string chunk(std::min(kChunkBytes, end - offset), '\0');
  RETURN_IF_ERROR(file.ReadAt(offset, absl::MakeSpan(chunk)));
  return chunk;
}

absl::Status HashPart(const ReadableFile& file, int64_t end, Sha256& hash) {
  for (int64_t offset = 0; offset < end;) {
    ASSIGN_OR_RETURN(const std::string chunk, ReadChunk(file, offset, end));
    hash.Update(chunk);
    offset += static_cast<int64_t>(chunk.size());
  }
  return absl::OkStatus();
}

class Upload {
 public:
  Upload(Client& client, const LocalFile& file, const ReadableFile& bytes,
         const TransferOptions& options)
      : client_(client), file_(file), bytes_(bytes), options_(options) {}

  absl::Status Run(bool* progressed) {
    v1::QueryBlobRequest query;
    query.set_sha256(file_.sha256);
    query.set_size_bytes(file_.size_bytes);
    ASSIGN_OR_RETURN(const v1::QueryBlobResponse there, client_.QueryBlob(query));
    *progressed = there.committed_bytes() > committed_;
    committed_ = there.committed_bytes();
    Tell(committed_);
    if (there.complete()) return absl::OkStatus();
    if (committed_ < 0 || committed_ > file_.size_bytes) {
      return absl::InternalError(absl::StrCat("the server says that it has ", committed_, " of ",
                                              file_.size_bytes, " bytes"));
    }
    return Send();
  }

  int64_t sent_bytes() const { return sent_; }

 private:
  void Tell(int64_t done) const {
    if (options_.on_progress) options_.on_progress(done, file_.size_bytes);
  }

  absl::Status Send() {
    v1::UploadBlobHeader header;
    header.set_sha256(file_.sha256);
    header.set_size_bytes(file_.size_bytes);
    header.set_offset(committed_);
    int64_t offset = committed_;
    const auto next = [&]() -> absl::StatusOr<std::optional<std::string>> {
      Tell(offset);
      if (offset == file_.size_bytes) return std::nullopt;
      ASSIGN_OR_RETURN(std::string chunk, ReadChunk(bytes_, offset, file_.size_bytes));
      offset += static_cast<int64_t>(chunk.size());
      sent_ += static_cast<int64_t>(chunk.size());
      return chunk;
    };
    const auto response = client_.UploadBlob(header, options_.stop, next);
    // The offset was taken by another upload of the same bytes: ask again where to go on.
    if (absl::IsOutOfRange(response.status())) return Again(response.status());
    RETURN_IF_ERROR(response);
    if (!response->complete()) return Again(absl::UnavailableError("the upload is not complete"));
    Tell(file_.size_bytes);
    return absl::OkStatus();
  }

  static absl::Status Again(const absl::Status& status) {
    return AsFromCall(absl::AbortedError(status.message()));
  }

  Client& client_;
  const LocalFile& file_;
  const ReadableFile& bytes_;
  const TransferOptions& options_;
  int64_t committed_ = 0;
  int64_t sent_ = 0;
};

// The hash becomes part of a path here, so it has to be one.
absl::Status CheckHash(const v1::Artifact& artifact) {
  if (IsSha256Hex(artifact.sha256())) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the server gives no SHA-256 of ", artifact.name(), ", so it can't be checked"));
}

absl::StatusOr<v1::Artifact> FindArtifact(Client& client, const std::string& job_id,
                                          const std::string& name) {
  v1::GetJobRequest request;
  request.set_id(job_id);
  ASSIGN_OR_RETURN(const v1::Job job, client.GetJob(request));
  std::vector<std::string> names;
  for (const v1::Artifact& artifact : job.artifacts()) {
    if (artifact.name() == name) return artifact;
    names.push_back(artifact.name());
  }
  return AsFromCall(absl::NotFoundError(absl::StrCat(
      job_id, " has no artifact ", name, "; it has ",
      names.empty() ? "none so far: they come when it ends" : absl::StrJoin(names, ", "), ".")));
}

class Fetch {
 public:
  Fetch(Client& client, const std::string& job_id, v1::Artifact artifact,
        const TransferOptions& options)
      : client_(client), artifact_(std::move(artifact)), options_(options) {
    request_.set_id(job_id);
    request_.set_name(artifact_.name());
  }

  // Takes up what an earlier fetch left in `part`.
  absl::Status Open(FileSystem& files, const std::string& part) {
    if (files.Exists(part)) {
      ASSIGN_OR_RETURN(const auto before, files.OpenForRead(part));
      if (before->size() <= artifact_.size_bytes()) {
        RETURN_IF_ERROR(HashPart(*before, before->size(), hash_));
        request_.set_offset(before->size());
      }
    }
    ASSIGN_OR_RETURN(out_, files.OpenForAppend(part, /*truncate=*/request_.offset() == 0));
    return absl::OkStatus();
  }

  absl::Status Run(bool* progressed) {
    if (request_.offset() == artifact_.size_bytes()) return absl::OkStatus();
    RETURN_IF_ERROR(
        client_.FetchArtifact(request_, options_.stop, [&](const v1::ArtifactChunk& chunk) {
          *progressed = true;
          return Take(chunk.data());
        }));
    if (request_.offset() == artifact_.size_bytes()) return absl::OkStatus();
    return Damaged("it ends after", request_.offset());
  }

  // After all bytes: the declared hash, on the disk.
  absl::Status Close() {
    if (hash_.Finish() != artifact_.sha256()) {
      return absl::DataLossError(absl::StrCat(artifact_.name(),
                                              " arrived with other bytes than the server declared "
                                              "(SHA-256 differs). Fetch it again."));
    }
    return out_->Sync();
  }

 private:
  absl::Status Damaged(absl::string_view what, int64_t bytes) const {
    return absl::DataLossError(absl::StrCat(artifact_.name(), " should have ",
                                            artifact_.size_bytes(), " bytes, ", what, " ", bytes,
                                            ". Fetch it again."));
  }

  absl::Status Take(absl::string_view bytes) {
    const int64_t end = request_.offset() + static_cast<int64_t>(bytes.size());
    if (end > artifact_.size_bytes()) return Damaged("the server sent", end);
    RETURN_IF_ERROR(out_->Append(bytes));
    hash_.Update(bytes);
    request_.set_offset(end);
    if (options_.on_progress) options_.on_progress(end, artifact_.size_bytes());
    return absl::OkStatus();
  }

  Client& client_;
  const v1::Artifact artifact_;
  const TransferOptions& options_;
  v1::FetchArtifactRequest request_;
  Sha256 hash_;
  std::unique_ptr<AppendableFile> out_;
};

}  // namespace

absl::StatusOr<LocalFile> HashFile(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(const auto file, files.OpenForRead(path));
  Sha256 hash;
  RETURN_IF_ERROR(HashPart(*file, file->size(), hash));
  return LocalFile{path, hash.Finish(), file->size()};
}

absl::StatusOr<UploadResult> UploadFile(Client& client, FileSystem& files, const LocalFile& file,
                                        const TransferOptions& options) {
  ASSIGN_OR_RETURN(const auto bytes, files.OpenForRead(file.path));
  if (bytes->size() != file.size_bytes) {
    return absl::DataLossError(
        absl::StrCat(file.path, " changed while it was read: ", file.size_bytes, " bytes before, ",
                     bytes->size(), " now. Try again when it does not change."));
  }
  Upload upload(client, file, *bytes, options);
  RETURN_IF_ERROR(Resume(client.options().retry, client.clock(), options.stop, options.on_break,
                         [&](bool* progressed) { return upload.Run(progressed); }));
  return UploadResult{upload.sent_bytes()};
}

absl::Status FetchFile(Client& client, FileSystem& files, const std::string& job_id,
                       const std::string& artifact, const std::string& destination,
                       const TransferOptions& options) {
  ASSIGN_OR_RETURN(v1::Artifact wanted, FindArtifact(client, job_id, artifact));
  RETURN_IF_ERROR(CheckHash(wanted));
  const std::string part = absl::StrCat(destination, ".", wanted.sha256().substr(0, 12), ".part");
  Fetch fetch(client, job_id, std::move(wanted), options);
  RETURN_IF_ERROR(fetch.Open(files, part));
  RETURN_IF_ERROR(Resume(client.options().retry, client.clock(), options.stop, options.on_break,
                         [&](bool* progressed) { return fetch.Run(progressed); }));
  const absl::Status checked = fetch.Close();
  if (absl::IsDataLoss(checked)) RETURN_IF_ERROR(files.Remove(part));
  RETURN_IF_ERROR(checked);
  return files.Rename(part, destination);
}

}  // namespace mantissa::client
