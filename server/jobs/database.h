// server/jobs/database.h
//
// SQLite behind Status: one connection in WAL mode, statements prepared once and kept.
//
//   ASSIGN_OR_RETURN(auto db, Database::Open(path));
//   Transaction transaction(*db);
//   RETURN_IF_ERROR(db->Run("INSERT INTO blobs(sha256, size) VALUES(?, ?)", sha256, size));
//   RETURN_IF_ERROR(transaction.Commit());  // survives a loss of power once it returns
//   ASSIGN_OR_RETURN(Rows rows, db->Query("SELECT size FROM blobs WHERE sha256 = ?", sha256));
//   while (rows.Next()) Use(rows.Int(0));
//   RETURN_IF_ERROR(rows.status());
//
// Thread-compatible: the caller (a store) serialises. Errors: RESOURCE_EXHAUSTED for a full disk,
// ALREADY_EXISTS for a broken uniqueness, else INTERNAL.
#ifndef MANTISSA_SERVER_JOBS_DATABASE_H_
#define MANTISSA_SERVER_JOBS_DATABASE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mantissa::jobs {

// Bytes rather than text.
struct Blob {
  absl::string_view bytes;
};

// The rows of a query; resets its statement when it goes. One at a time for the same SQL.
class Rows {
 public:
  Rows(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  // Goes to the next row; false at the end or after an error, which status() has then.
  bool Next();
  const absl::Status& status() const { return status_; }

  int64_t Int(int column) const;
  std::string Text(int column) const;  // text or bytes; "" for NULL

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_;
  absl::Status status_;
};

class Database {
 public:
  // Opens or creates the file. Every commit is synced to disk.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;

  template <typename... Args>
  absl::StatusOr<Rows> Query(absl::string_view sql, const Args&... args) {
    ASSIGN_OR_RETURN(sqlite3_stmt * statement, Prepare(sql));
    int index = 0;
    absl::Status status;
    (status.Update(Bind(statement, ++index, args)), ...);
    RETURN_IF_ERROR(status);
    return Rows(db_, statement);
  }

  // The same with as many texts as there are question marks.
  absl::StatusOr<Rows> QueryTexts(absl::string_view sql, absl::Span<const std::string> texts);

  // Runs a statement that gives no rows.
  template <typename... Args>
  absl::Status Run(absl::string_view sql, const Args&... args) {
    ASSIGN_OR_RETURN(Rows rows, Query(sql, args...));
    while (rows.Next()) {
    }
    return rows.status();
  }

  // Runs several statements separated by `;`, not kept.
  absl::Status Script(const std::string& sql);

  // Rows that the last Run changed.
  int64_t changes() const;

 private:
  explicit Database(sqlite3* db) : db_(db) {}

  absl::StatusOr<sqlite3_stmt*> Prepare(absl::string_view sql);
  absl::Status Bind(sqlite3_stmt* statement, int index, int64_t value);
  absl::Status Bind(sqlite3_stmt* statement, int index, absl::string_view value);
  absl::Status Bind(sqlite3_stmt* statement, int index, Blob value);

  sqlite3* const db_;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
};

// Rolls back unless committed. They do not nest.
class Transaction {
 public:
  explicit Transaction(Database& db) : db_(db), begun_(db.Run("BEGIN IMMEDIATE")) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;

  absl::Status Commit();

 private:
  Database& db_;
  absl::Status begun_;
  bool committed_ = false;
};

}  // namespace mantissa::jobs

#endif  // MANTISSA_SERVER_JOBS_DATABASE_H_
