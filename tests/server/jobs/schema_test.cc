#include "server/jobs/schema.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"

namespace mantissa::jobs {
namespace {

class SchemaTest : public testing::Test {
 protected:
  std::unique_ptr<Database> Open() { return *Database::Open(JoinPath(folder_.path(), "state.db")); }

  static int64_t VersionOf(Database& db) {
    absl::StatusOr<Rows> rows = db.Query("PRAGMA user_version");
    return rows->Next() ? rows->Int(0) : -1;
  }

  TempFolder folder_;
};

TEST_F(SchemaTest, MigratesAnEmptyDatabaseToTheNewestVersion) {
  const auto db = Open();
  ASSERT_TRUE(Migrate(*db).ok());
  EXPECT_EQ(VersionOf(*db), SchemaVersion());
}

TEST_F(SchemaTest, MigratingAgainKeepsWhatIsThere) {
  {
    const auto db = Open();
    ASSERT_TRUE(Migrate(*db).ok());
    ASSERT_TRUE(
        db->Run("INSERT INTO blobs(sha256, size, complete, touch_time) VALUES('a', 1, 1, 1)").ok());
  }
  const auto db = Open();
  ASSERT_TRUE(Migrate(*db).ok());
  absl::StatusOr<Rows> rows = db->Query("SELECT sha256 FROM blobs");
  ASSERT_TRUE(rows->Next());
  EXPECT_EQ(rows->Text(0), "a");
}

TEST_F(SchemaTest, AddsWhatVersionOneLacksAndKeepsItsRows) {
  {
    const auto db = Open();
    ASSERT_TRUE(Migrate(*db).ok());
    // As the first program left it.
    ASSERT_TRUE(db->Script("DROP TABLE memories; DROP TABLE models; DROP INDEX jobs_by_model; "
                           "ALTER TABLE jobs DROP COLUMN model; PRAGMA user_version = 1")
                    .ok());
    ASSERT_TRUE(
        db->Run("INSERT INTO blobs(sha256, size, complete, touch_time) VALUES('a', 1, 1, 1)").ok());
  }
  const auto db = Open();
  ASSERT_TRUE(Migrate(*db).ok());
  EXPECT_EQ(VersionOf(*db), SchemaVersion());
  EXPECT_TRUE(db->Query("SELECT memory_proto FROM memories").ok());
  EXPECT_TRUE(db->Query("SELECT model FROM jobs, models").ok());
  absl::StatusOr<Rows> rows = db->Query("SELECT sha256 FROM blobs");
  EXPECT_TRUE(rows->Next());
}

TEST_F(SchemaTest, RefusesADatabaseOfANewerProgram) {
  const auto db = Open();
  ASSERT_TRUE(db->Script(absl::StrCat("PRAGMA user_version = ", SchemaVersion() + 1)).ok());
  const absl::Status status = Migrate(*db);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("newer mantissad"), std::string::npos) << status;
}

TEST_F(SchemaTest, KeepsATransactionThatWasNotCommittedOut) {
  {
    const auto db = Open();
    ASSERT_TRUE(Migrate(*db).ok());
    Transaction transaction(*db);
    ASSERT_TRUE(
        db->Run("INSERT INTO blobs(sha256, size, complete, touch_time) VALUES('a', 1, 1, 1)").ok());
  }
  const auto db = Open();
  absl::StatusOr<Rows> rows = db->Query("SELECT sha256 FROM blobs");
  EXPECT_FALSE(rows->Next());
}

}  // namespace
}  // namespace mantissa::jobs
