#include "server/jobs/dataset_desk.h"

#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/jobs/errors.h"
#include "server/jobs/names.h"
#include "server/jobs/times.h"

namespace mantissa::jobs {
namespace {

constexpr int kMaxFiles = 4096;
constexpr int kMaxChannels = 1024;

absl::Status CheckFiles(const v1::CreateDatasetRequest& request) {
  if (request.files().empty() || request.files_size() > kMaxFiles) {
    return Invalid("files", absl::StrCat(request.files_size(), " files"),
                   absl::StrCat("1 to ", kMaxFiles), "Pack many images into one .tar.");
  }
  std::set<absl::string_view> names;
  for (int i = 0; i < request.files_size(); ++i) {
    const v1::DatasetFile& file = request.files(i);
    const std::string field = absl::StrCat("files[", i, "]");
    RETURN_IF_ERROR(CheckFileName(absl::StrCat(field, ".name"), file.name()));
    RETURN_IF_ERROR(CheckSha256(absl::StrCat(field, ".sha256"), file.sha256()));
    if (!names.insert(file.name()).second) {
      return Invalid(absl::StrCat(field, ".name"), file.name(), "each name once", "Rename a file.");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckStatistics(const v1::CreateDatasetRequest& request) {
  if (request.mean_size() != request.stddev_size() || request.mean_size() > kMaxChannels) {
    return Invalid(
        "stddev", absl::StrCat(request.stddev_size(), " numbers"),
        absl::StrCat("as many as mean has, ", request.mean_size(), ", at most ", kMaxChannels),
        "Set both, one number a channel, or none.");
  }
  for (const float mean : request.mean()) {
    if (!std::isfinite(mean)) return Invalid("mean", mean, "finite numbers", "Leave it out.");
  }
  for (const float stddev : request.stddev()) {
    if (!std::isfinite(stddev) || !(stddev > 0)) {
      return Invalid("stddev", stddev, "finite numbers above 0", "Leave it out.");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAndFill(v1::CreateDatasetRequest& request) {
  RETURN_IF_ERROR(CheckName("name", request.name()));
  RETURN_IF_ERROR(CheckFiles(request));
  RETURN_IF_ERROR(CheckStatistics(request));
  if (request.test_fraction() == 0) request.set_test_fraction(0.2);
  if (!(request.test_fraction() > 0 && request.test_fraction() < 1)) {
    return Invalid("test_fraction", request.test_fraction(), "above 0.0 and below 1.0", "Use 0.2.");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<v1::Dataset>> DatasetDesk::CheckNew(
    v1::CreateDatasetRequest& request) {
  RETURN_IF_ERROR(CheckAndFill(request));
  ASSIGN_OR_RETURN(std::optional<v1::Dataset> known, store_.Find(request.name()));
  if (known.has_value()) {
    RETURN_IF_ERROR(CheckSameContent(*known, ContentSha256(request)));
    return known;
  }
  for (const v1::DatasetFile& file : request.files()) {
    RETURN_IF_ERROR(blobs_.PathOf(file.sha256()));
    ASSIGN_OR_RETURN(const BlobState state, blobs_.Query(file.sha256(), file.size_bytes()));
    if (!state.complete) return absl::AbortedError("A file was removed just now. Try again.");
  }
  return std::nullopt;
}

void DatasetDesk::Create(v1::CreateDatasetRequest request, Done done) {
  absl::StatusOr<std::optional<v1::Dataset>> known = CheckNew(request);
  if (!known.ok()) return done(known.status());
  if (known->has_value()) return done(**std::move(known));
  Inspection inspection{.what = absl::StrCat("The data set `", request.name(), "`"),
                        .remedy = "Use fewer or smaller files."};
  *inspection.task.mutable_inspect()->mutable_request() = request;
  inspections_.Start(std::move(inspection), [this, request, done = std::move(done)](
                                                absl::StatusOr<internal::v1::WorkerReport> found) {
    if (!found.ok()) return done(found.status());
    done(Keep(request, std::move(*found->mutable_inspected())));
  });
}

absl::StatusOr<v1::Dataset> DatasetDesk::Keep(const v1::CreateDatasetRequest& request,
                                              v1::Dataset found) {
  found.set_name(request.name());
  *found.mutable_files() = request.files();
  found.set_content_sha256(ContentSha256(request));
  int64_t bytes = 0;
  for (const v1::DatasetFile& file : request.files()) bytes += file.size_bytes();
  found.set_size_bytes(bytes);
  found.set_test_fraction(request.test_fraction());
  found.set_split_seed(request.split_seed());
  ToProto(clock_.Now(), *found.mutable_create_time());
  RETURN_IF_ERROR(store_.Insert(found));
  return store_.Get(request.name());
}

absl::Status DatasetDesk::Delete(absl::string_view name) {
  ASSIGN_OR_RETURN(const std::vector<std::string> blobs, store_.Remove(name));
  return blobs_.RemoveUnused(blobs);
}

}  // namespace mantissa::jobs
