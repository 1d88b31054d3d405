#include "server/jobs/schema.h"

#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace mantissa::jobs {
namespace {

// Times are nanoseconds since 1970, 0 for none. Columns named *_proto hold a serialised message of
// mantissa.v1. `number` orders jobs by submission and is never reused.
constexpr const char* kMigrations[] = {
    // 1
    R"sql(
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  state INTEGER NOT NULL,
  dataset TEXT NOT NULL,
  init_sha256 TEXT NOT NULL,
  spec_proto BLOB NOT NULL,
  progress_proto BLOB NOT NULL DEFAULT x'',
  failure_proto BLOB NOT NULL DEFAULT x'',
  create_time INTEGER NOT NULL,
  start_time INTEGER NOT NULL DEFAULT 0,
  end_time INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,
  retries INTEGER NOT NULL DEFAULT 0,
  last_sequence INTEGER NOT NULL DEFAULT 0,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  checkpoint TEXT NOT NULL DEFAULT '',
  checkpoint_progress_proto BLOB NOT NULL DEFAULT x''
);
CREATE INDEX jobs_by_state ON jobs(state, number);
CREATE INDEX jobs_by_dataset ON jobs(dataset);

-- `summary_proto` is the plan without its tensors.
CREATE TABLE plans (
  job TEXT PRIMARY KEY REFERENCES jobs(id),
  summary_proto BLOB NOT NULL,
  plan_proto BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE job_labels (
  job TEXT NOT NULL REFERENCES jobs(id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (key, value, job)
) WITHOUT ROWID;

CREATE TABLE events (
  job TEXT NOT NULL REFERENCES jobs(id),
  sequence INTEGER NOT NULL,
  event_proto BLOB NOT NULL,
  PRIMARY KEY (job, sequence)
) WITHOUT ROWID;

CREATE TABLE requests (
  request_id TEXT PRIMARY KEY,
  job TEXT NOT NULL REFERENCES jobs(id),
  spec_sha256 TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE artifacts (
  job TEXT NOT NULL REFERENCES jobs(id),
  name TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  hidden INTEGER NOT NULL,
  PRIMARY KEY (job, name)
) WITHOUT ROWID;

-- A worker process that was started and whose end was not seen yet. A task is a job's id or
-- names an inspection. pid and start_ticks together name a process, for ever.
CREATE TABLE workers (
  task TEXT PRIMARY KEY,
  attempt INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL,
  token_sha256 TEXT NOT NULL,
  last_report INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- `touch_time`: when somebody last asked for it or wrote to it.
CREATE TABLE blobs (
  sha256 TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  complete INTEGER NOT NULL,
  touch_time INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE datasets (
  name TEXT PRIMARY KEY,
  content_sha256 TEXT NOT NULL,
  dataset_proto BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE dataset_blobs (
  sha256 TEXT NOT NULL REFERENCES blobs(sha256),
  dataset TEXT NOT NULL REFERENCES datasets(name),
  PRIMARY KEY (sha256, dataset)
) WITHOUT ROWID;
CREATE INDEX dataset_blobs_by_dataset ON dataset_blobs(dataset);
)sql",
    // 2
    R"sql(
-- `summary_proto` is the memory without timelines.
CREATE TABLE memories (
  job TEXT PRIMARY KEY REFERENCES jobs(id),
  summary_proto BLOB NOT NULL,
  memory_proto BLOB NOT NULL
) WITHOUT ROWID;
)sql",
    // 3
    R"sql(
-- `graph_proto` is an internal.v1.Graph.
CREATE TABLE models (
  name TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL REFERENCES blobs(sha256),
  model_proto BLOB NOT NULL,
  graph_proto BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX models_by_sha256 ON models(sha256);

-- The uploaded model that a job trains; empty for a built-in one.
ALTER TABLE jobs ADD COLUMN model TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_by_model ON jobs(model);
)sql",
};

absl::StatusOr<int64_t> VersionOf(Database& db) {
  ASSIGN_OR_RETURN(Rows rows, db.Query("PRAGMA user_version"));
  const int64_t version = rows.Next() ? rows.Int(0) : 0;
  RETURN_IF_ERROR(rows.status());
  return version;
}

}  // namespace

int SchemaVersion() { return static_cast<int>(std::size(kMigrations)); }

absl::Status Migrate(Database& db) {
  ASSIGN_OR_RETURN(const int64_t version, VersionOf(db));
  if (version > SchemaVersion()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "The data folder was written by a newer mantissad: its state has version ", version,
        "; allowed at most ", SchemaVersion(), ". Start a mantissad at least as new."));
  }
  for (int64_t next = version; next < SchemaVersion(); ++next) {
    Transaction transaction(db);
    RETURN_IF_ERROR(db.Script(kMigrations[next]));
    RETURN_IF_ERROR(db.Script(absl::StrCat("PRAGMA user_version = ", next + 1)));
    RETURN_IF_ERROR(transaction.Commit());
  }
  return absl::OkStatus();
}

}  // namespace mantissa::jobs
