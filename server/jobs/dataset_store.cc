#include "server/jobs/dataset_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/hash.h"
#include "base/status.h"
#include "server/jobs/errors.h"

namespace mantissa::jobs {
namespace {

absl::StatusOr<std::optional<v1::Dataset>> FindIn(Database& db, absl::string_view name) {
  ASSIGN_OR_RETURN(Rows rows, db.Query("SELECT dataset_proto FROM datasets WHERE name = ?", name));
  std::optional<v1::Dataset> found;
  if (rows.Next()) found.emplace().ParseFromString(rows.Text(0));
  RETURN_IF_ERROR(rows.status());
  return found;
}

absl::Status InsertBlobs(Database& db, const v1::Dataset& dataset) {
  std::set<std::string> blobs;
  for (const v1::DatasetFile& file : dataset.files()) blobs.insert(file.sha256());
  for (const std::string& sha256 : blobs) {
    RETURN_IF_ERROR(
        db.Run("INSERT INTO dataset_blobs(sha256, dataset) SELECT sha256, ? FROM blobs "
               "WHERE sha256 = ? AND complete = 1",
               dataset.name(), sha256));
    if (db.changes() == 0) {
      return Precondition("BLOB_MISSING", sha256,
                          absl::StrCat("The blob ", sha256, " is not on the server. Upload it."));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string ContentSha256(const v1::CreateDatasetRequest& request) {
  std::vector<std::string> lines;
  for (const v1::DatasetFile& file : request.files()) {
    lines.push_back(absl::StrCat(file.sha256(), " ", file.name()));
  }
  std::sort(lines.begin(), lines.end());
  // Digits enough that different numbers give different texts.
  lines.push_back(
      absl::StrCat("test_fraction ", absl::StrFormat("%.17g", request.test_fraction())));
  lines.push_back(absl::StrCat("split_seed ", request.split_seed()));
  const auto numbers = [](const auto& values) {
    return absl::StrJoin(values, " ", [](std::string* out, float value) {
      absl::StrAppend(out, absl::StrFormat("%.9g", value));
    });
  };
  lines.push_back(absl::StrCat("mean ", numbers(request.mean())));
  lines.push_back(absl::StrCat("stddev ", numbers(request.stddev())));
  // Left out where nothing is asked for, as it was for data sets that are there already.
  const std::string read = request.read().SerializeAsString();
  if (!read.empty()) lines.push_back(absl::StrCat("read ", Sha256Hex(read)));
  return Sha256Hex(absl::StrJoin(lines, "\n"));
}

absl::Status CheckSameContent(const v1::Dataset& known, absl::string_view content_sha256) {
  if (known.content_sha256() == content_sha256) return absl::OkStatus();
  return AlreadyExists("dataset", known.name(),
                       absl::StrCat("The data set `", known.name(),
                                    "` has other files or options. Use another name, or delete "
                                    "it first."));
}

absl::Status DatasetStore::Insert(const v1::Dataset& dataset) {
  absl::MutexLock lock(&state_.mutex());
  Database& db = state_.db();
  ASSIGN_OR_RETURN(const std::optional<v1::Dataset> known, FindIn(db, dataset.name()));
  if (known.has_value()) return CheckSameContent(*known, dataset.content_sha256());
  Transaction transaction(db);
  RETURN_IF_ERROR(
      db.Run("INSERT INTO datasets(name, content_sha256, dataset_proto) VALUES(?, ?, ?)",
             dataset.name(), dataset.content_sha256(), Blob{dataset.SerializeAsString()}));
  RETURN_IF_ERROR(InsertBlobs(db, dataset));
  return transaction.Commit();
}

absl::StatusOr<std::optional<v1::Dataset>> DatasetStore::Find(absl::string_view name) {
  absl::MutexLock lock(&state_.mutex());
  return FindIn(state_.db(), name);
}

absl::StatusOr<v1::Dataset> DatasetStore::Get(absl::string_view name) {
  ASSIGN_OR_RETURN(std::optional<v1::Dataset> found, Find(name));
  if (found.has_value()) return *std::move(found);
  return NotFound("dataset", name, "ListDatasets tells which there are; CreateDataset makes one.");
}

absl::StatusOr<DatasetPage> DatasetStore::List(absl::string_view after, int limit) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows,
                   state_.db().Query("SELECT dataset_proto FROM datasets WHERE name > ? ORDER BY "
                                     "name LIMIT ?",
                                     after, int64_t{limit} + 1));
  DatasetPage page;
  size_t bytes = 0;
  while (!page.more && rows.Next()) {
    page.more = static_cast<int>(page.datasets.size()) == limit || bytes >= kMaxPageBytes;
    if (page.more) break;
    const std::string dataset = rows.Text(0);
    bytes += dataset.size();
    page.datasets.emplace_back().ParseFromString(dataset);
  }
  RETURN_IF_ERROR(rows.status());
  return page;
}

absl::StatusOr<std::vector<std::string>> DatasetStore::Remove(absl::string_view name) {
  absl::MutexLock lock(&state_.mutex());
  Database& db = state_.db();
  Transaction transaction(db);
  ASSIGN_OR_RETURN(const std::optional<v1::Dataset> known, FindIn(db, name));
  if (!known.has_value()) return NotFound("dataset", name, "It may be deleted already.");
  {
    ASSIGN_OR_RETURN(Rows user, db.Query("SELECT id FROM jobs WHERE dataset = ? AND state <= 3 "
                                         "ORDER BY number LIMIT 1",
                                         name));
    if (user.Next()) {
      return Precondition("DATASET_IN_USE", name,
                          absl::StrCat("Job ", user.Text(0), " uses the data set `", name,
                                       "` and has not ended. Wait for it or cancel it."));
    }
    RETURN_IF_ERROR(user.status());
  }
  std::vector<std::string> blobs;
  for (const v1::DatasetFile& file : known->files()) blobs.push_back(file.sha256());
  RETURN_IF_ERROR(db.Run("DELETE FROM dataset_blobs WHERE dataset = ?", name));
  RETURN_IF_ERROR(db.Run("DELETE FROM datasets WHERE name = ?", name));
  RETURN_IF_ERROR(transaction.Commit());
  return blobs;
}

}  // namespace mantissa::jobs
