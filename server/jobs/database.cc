#include "server/jobs/database.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace mantissa::jobs {
namespace {

absl::Status ErrorOf(sqlite3* db, absl::string_view doing) {
  const int code = sqlite3_errcode(db);
  const std::string text =
      absl::StrCat("The state database failed while ", doing, ": ", sqlite3_errmsg(db), ".");
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(absl::StrCat(text, " Free some disk space."));
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(text);
    default:
      return absl::InternalError(text);
  }
}

}  // namespace

Rows::Rows(Rows&& other) noexcept
    : db_(other.db_),
      statement_(std::exchange(other.statement_, nullptr)),
      status_(std::move(other.status_)) {}

Rows::~Rows() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Rows::Next() {
  if (!status_.ok()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) status_ = ErrorOf(db_, sqlite3_sql(statement_));
  return false;
}

int64_t Rows::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Rows::Text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  std::unique_ptr<Database> db(new Database(raw));
  if (code != SQLITE_OK) {
    return absl::InternalError(
        absl::StrCat("The state database ", path, " can't be opened: ", sqlite3_errstr(code), "."));
  }
  RETURN_IF_ERROR(
      db->Script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                 "PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;"));
  return db;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

absl::StatusOr<Rows> Database::QueryTexts(absl::string_view sql,
                                          absl::Span<const std::string> texts) {
  ASSIGN_OR_RETURN(sqlite3_stmt * statement, Prepare(sql));
  int index = 0;
  for (const std::string& text : texts) RETURN_IF_ERROR(Bind(statement, ++index, text));
  return Rows(db_, statement);
}

absl::Status Database::Script(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return ErrorOf(db_, "running its schema");
  }
  return absl::OkStatus();
}

int64_t Database::changes() const { return sqlite3_changes64(db_); }

absl::StatusOr<sqlite3_stmt*> Database::Prepare(absl::string_view sql) {
  const auto it = statements_.find(sql);
  if (it != statements_.end()) return it->second;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), sql.size(), SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    return ErrorOf(db_, absl::StrCat("preparing ", sql));
  }
  statements_.emplace(sql, statement);
  return statement;
}

absl::Status Database::Bind(sqlite3_stmt* statement, int index, int64_t value) {
  if (sqlite3_bind_int64(statement, index, value) == SQLITE_OK) return absl::OkStatus();
  return ErrorOf(db_, "binding a number");
}

// Copies: a Query's rows are read after its arguments are gone.
absl::Status Database::Bind(sqlite3_stmt* statement, int index, absl::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  if (sqlite3_bind_text64(statement, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8) ==
      SQLITE_OK) {
    return absl::OkStatus();
  }
  return ErrorOf(db_, "binding a text");
}

absl::Status Database::Bind(sqlite3_stmt* statement, int index, Blob value) {
  const char* data = value.bytes.data() == nullptr ? "" : value.bytes.data();
  if (sqlite3_bind_blob64(statement, index, data, value.bytes.size(), SQLITE_TRANSIENT) ==
      SQLITE_OK) {
    return absl::OkStatus();
  }
  return ErrorOf(db_, "binding bytes");
}

Transaction::~Transaction() {
  if (!begun_.ok() || committed_) return;
  const absl::Status status = db_.Run("ROLLBACK");
  if (!status.ok()) LogWarning("A transaction could not be rolled back: ", status.ToString());
}

absl::Status Transaction::Commit() {
  RETURN_IF_ERROR(begun_);
  RETURN_IF_ERROR(db_.Run("COMMIT"));
  committed_ = true;
  return absl::OkStatus();
}

}  // namespace mantissa::jobs
