#include "server/jobs/artifact_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/token.h"
#include "server/jobs/errors.h"
#include "server/jobs/names.h"

namespace mantissa::jobs {

ArtifactWriter::~ArtifactWriter() {
  if (file_ == nullptr) return;
  file_.reset();
  store_->files_.Remove(part_path_).IgnoreError();
}

absl::Status ArtifactWriter::Append(absl::string_view bytes) {
  RETURN_IF_ERROR(file_->Append(bytes));
  hash_.Update(bytes);
  return absl::OkStatus();
}

absl::StatusOr<v1::Artifact> ArtifactWriter::Finish() {
  RETURN_IF_ERROR(file_->Sync());
  v1::Artifact artifact;
  artifact.set_name(name_);
  artifact.set_size_bytes(file_->size());
  artifact.set_sha256(hash_.Finish());
  file_.reset();
  RETURN_IF_ERROR(store_->files_.Rename(part_path_, path_));
  RETURN_IF_ERROR(store_->Put(job_, artifact, hidden_));
  return artifact;
}

ArtifactStore::ArtifactStore(StateDatabase& state, FileSystem& files, std::string data_dir,
                             int64_t reserve_bytes)
    : state_(state), files_(files), data_dir_(std::move(data_dir)), reserve_bytes_(reserve_bytes) {}

absl::StatusOr<std::unique_ptr<ArtifactWriter>> ArtifactStore::Create(absl::string_view job,
                                                                      absl::string_view name,
                                                                      bool hidden) {
  RETURN_IF_ERROR(CheckName("header.name", name));
  const std::string folder = JoinPath(data_dir_, "jobs", job, "artifacts");
  RETURN_IF_ERROR(files_.MakeFolders(folder));
  ASSIGN_OR_RETURN(const int64_t free, files_.FreeBytes(folder));
  if (free < reserve_bytes_) {
    return OverLimit("disk", absl::StrCat("The data disk has ", free, " bytes free; ",
                                          reserve_bytes_, " are kept. Free some disk space."));
  }
  auto writer = std::make_unique<ArtifactWriter>();
  writer->store_ = this;
  writer->job_ = std::string(job);
  writer->name_ = std::string(name);
  writer->hidden_ = hidden;
  writer->path_ = JoinPath(folder, name);
  // `~` is in no artifact's name.
  writer->part_path_ = absl::StrCat(writer->path_, "~", RandomToken(4));
  ASSIGN_OR_RETURN(writer->file_, files_.OpenForAppend(writer->part_path_, /*truncate=*/true));
  return writer;
}

absl::StatusOr<StoredArtifact> ArtifactStore::Find(absl::string_view job, absl::string_view name) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows, state_.db().Query("SELECT name, size, sha256, hidden FROM artifacts "
                                                "WHERE job = ? ORDER BY name",
                                                job));
  std::vector<std::string> visible;
  while (rows.Next()) {
    StoredArtifact found;
    found.artifact.set_name(rows.Text(0));
    found.artifact.set_size_bytes(rows.Int(1));
    found.artifact.set_sha256(rows.Text(2));
    found.hidden = rows.Int(3) != 0;
    found.path = JoinPath(data_dir_, "jobs", job, "artifacts", found.artifact.name());
    if (found.artifact.name() == name) return found;
    if (!found.hidden) visible.push_back(found.artifact.name());
  }
  RETURN_IF_ERROR(rows.status());
  return NotFound("artifact", name,
                  visible.empty()
                      ? absl::StrCat("Job ", job, " has left no files; they come when it succeeds.")
                      : absl::StrCat("Job ", job, " has: ", absl::StrJoin(visible, ", "), "."));
}

absl::Status ArtifactStore::Put(absl::string_view job, const v1::Artifact& artifact, bool hidden) {
  absl::MutexLock lock(&state_.mutex());
  return state_.db().Run(
      "INSERT OR REPLACE INTO artifacts(job, name, size, sha256, hidden) VALUES(?, ?, ?, ?, ?)",
      job, artifact.name(), artifact.size_bytes(), artifact.sha256(), int64_t{hidden});
}

absl::Status ArtifactStore::RemoveHidden(absl::string_view job) {
  std::vector<std::string> names;
  {
    absl::MutexLock lock(&state_.mutex());
    ASSIGN_OR_RETURN(
        Rows rows,
        state_.db().Query("SELECT name FROM artifacts WHERE job = ? AND hidden = 1", job));
    while (rows.Next()) names.push_back(rows.Text(0));
    RETURN_IF_ERROR(rows.status());
    RETURN_IF_ERROR(state_.db().Run("DELETE FROM artifacts WHERE job = ? AND hidden = 1", job));
  }
  for (const std::string& name : names) {
    files_.Remove(JoinPath(data_dir_, "jobs", job, "artifacts", name)).IgnoreError();
  }
  return absl::OkStatus();
}

}  // namespace mantissa::jobs
