// server/jobs/artifact_store.h
//
// Files that jobs leave: DATA_DIR/jobs/ID/artifacts/NAME, and their sizes and hashes in the
// database.
//
//   ASSIGN_OR_RETURN(auto writer, store.Create("job-1", "weights.safetensors", /*hidden=*/false));
//   RETURN_IF_ERROR(writer->Append(bytes));
//   ASSIGN_OR_RETURN(v1::Artifact artifact, writer->Finish());  // replaces one of the same name
//
// Thread-safe; a writer is not.
#ifndef MANTISSA_SERVER_JOBS_ARTIFACT_STORE_H_
#define MANTISSA_SERVER_JOBS_ARTIFACT_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "base/hash.h"
#include "mantissa/v1/job.pb.h"
#include "server/jobs/state_database.h"

namespace mantissa::jobs {

class ArtifactStore;

class ArtifactWriter {
 public:
  ~ArtifactWriter();  // removes what was not finished
  absl::Status Append(absl::string_view bytes);
  absl::StatusOr<v1::Artifact> Finish();

 private:
  friend class ArtifactStore;
  ArtifactStore* store_;
  std::string job_, name_, path_, part_path_;
  bool hidden_ = false;
  std::unique_ptr<AppendableFile> file_;
  Sha256 hash_;
};

struct StoredArtifact {
  v1::Artifact artifact;
  bool hidden = false;
  std::string path;
};

class ArtifactStore {
 public:
  // At least `reserve_bytes` of the disk stay free.
  ArtifactStore(StateDatabase& state, FileSystem& files, std::string data_dir,
                int64_t reserve_bytes);

  // INVALID_ARGUMENT for a name that is not allowed, RESOURCE_EXHAUSTED without free disk.
  absl::StatusOr<std::unique_ptr<ArtifactWriter>> Create(absl::string_view job,
                                                         absl::string_view name, bool hidden);

  // NOT_FOUND names the visible ones that there are.
  absl::StatusOr<StoredArtifact> Find(absl::string_view job, absl::string_view name);

  // Removes the hidden ones, which nobody needs once the job has ended.
  absl::Status RemoveHidden(absl::string_view job);

 private:
  friend class ArtifactWriter;
  absl::Status Put(absl::string_view job, const v1::Artifact& artifact, bool hidden);

  StateDatabase& state_;
  FileSystem& files_;
  const std::string data_dir_;
  const int64_t reserve_bytes_;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_ARTIFACT_STORE_H_
