#include "server/jobs/model_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/jobs/errors.h"

namespace mantissa::jobs {
namespace {

absl::Status NoSuchModel(absl::string_view name) {
  return NotFound(
      "model", name,
      "ListModels tells which there are; CreateModel makes one, and built-in ones start with "
      "builtin:.");
}

absl::StatusOr<std::optional<v1::Model>> FindIn(Database& db, absl::string_view name) {
  ASSIGN_OR_RETURN(Rows rows, db.Query("SELECT model_proto FROM models WHERE name = ?", name));
  std::optional<v1::Model> found;
  if (rows.Next()) found.emplace().ParseFromString(rows.Text(0));
  RETURN_IF_ERROR(rows.status());
  return found;
}

absl::Status CheckUnused(Database& db, absl::string_view name) {
  ASSIGN_OR_RETURN(Rows user, db.Query("SELECT id FROM jobs WHERE model = ? AND state <= 3 "
                                       "ORDER BY number LIMIT 1",
                                       name));
  if (user.Next()) {
    return Precondition("MODEL_IN_USE", name,
                        absl::StrCat("Job ", user.Text(0), " uses the model `", name,
                                     "` and has not ended. Wait for it or cancel it."));
  }
  return user.status();
}

}  // namespace

absl::Status CheckSameFile(const v1::Model& known, absl::string_view sha256) {
  if (known.sha256() == sha256) return absl::OkStatus();
  return AlreadyExists("model", known.name(),
                       absl::StrCat("The model `", known.name(),
                                    "` has another file. Use another name, or delete it first."));
}

absl::Status ModelStore::Insert(const v1::Model& model, const internal::v1::Graph& graph) {
  absl::MutexLock lock(&state_.mutex());
  Database& db = state_.db();
  ASSIGN_OR_RETURN(const std::optional<v1::Model> known, FindIn(db, model.name()));
  if (known.has_value()) return CheckSameFile(*known, model.sha256());
  RETURN_IF_ERROR(
      db.Run("INSERT INTO models(name, sha256, model_proto, graph_proto) SELECT ?, sha256, ?, ? "
             "FROM blobs WHERE sha256 = ? AND complete = 1",
             model.name(), Blob{model.SerializeAsString()}, Blob{graph.SerializeAsString()},
             model.sha256()));
  if (db.changes() > 0) return absl::OkStatus();
  return Precondition(
      "BLOB_MISSING", model.sha256(),
      absl::StrCat("The blob ", model.sha256(), " is not on the server. Upload it."));
}

absl::StatusOr<std::optional<v1::Model>> ModelStore::Find(absl::string_view name) {
  absl::MutexLock lock(&state_.mutex());
  return FindIn(state_.db(), name);
}

absl::StatusOr<v1::Model> ModelStore::Get(absl::string_view name) {
  ASSIGN_OR_RETURN(std::optional<v1::Model> found, Find(name));
  if (found.has_value()) return *std::move(found);
  return NoSuchModel(name);
}

absl::StatusOr<internal::v1::Graph> ModelStore::GraphOf(absl::string_view name) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(Rows rows,
                   state_.db().Query("SELECT graph_proto FROM models WHERE name = ?", name));
  internal::v1::Graph graph;
  if (rows.Next()) {
    graph.ParseFromString(rows.Text(0));
    return graph;
  }
  RETURN_IF_ERROR(rows.status());
  return NoSuchModel(name);
}

absl::StatusOr<ModelPage> ModelStore::List(absl::string_view after, int limit) {
  absl::MutexLock lock(&state_.mutex());
  ASSIGN_OR_RETURN(
      Rows rows,
      state_.db().Query("SELECT model_proto FROM models WHERE name > ? ORDER BY name LIMIT ?",
                        after, int64_t{limit} + 1));
  ModelPage page;
  size_t bytes = 0;
  while (rows.Next()) {
    page.more = static_cast<int>(page.models.size()) == limit || bytes >= kMaxPageBytes;
    if (page.more) break;
    v1::Model& model = page.models.emplace_back();
    model.ParseFromString(rows.Text(0));
    model.clear_inputs();
    model.clear_outputs();
    model.clear_shared_tensors();
    bytes += model.ByteSizeLong();
  }
  RETURN_IF_ERROR(rows.status());
  return page;
}

absl::StatusOr<std::string> ModelStore::Remove(absl::string_view name) {
  absl::MutexLock lock(&state_.mutex());
  Database& db = state_.db();
  Transaction transaction(db);
  ASSIGN_OR_RETURN(const std::optional<v1::Model> known, FindIn(db, name));
  if (!known.has_value()) return NotFound("model", name, "It may be deleted already.");
  RETURN_IF_ERROR(CheckUnused(db, name));
  RETURN_IF_ERROR(db.Run("DELETE FROM models WHERE name = ?", name));
  RETURN_IF_ERROR(transaction.Commit());
  return known->sha256();
}

}  // namespace mantissa::jobs
