#include "server/jobs/artifact_store.h"

#include <memory>
#include <string>

#include "base/faulty_file.h"
#include "base/hash.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"
#include "tests/server/jobs/world.h"

namespace mantissa::jobs {
namespace {

class ArtifactStoreTest : public testing::Test {
 protected:
  ArtifactStoreTest() : world_(folder_.path(), "exit 0") {
    world_.AddDataset("digits");
    job_ = world_.MustSubmit("digits").id();
  }

  absl::StatusOr<v1::Artifact> Write(const std::string& name, const std::string& bytes) {
    ASSIGN_OR_RETURN(std::unique_ptr<ArtifactWriter> writer, store_.Create(job_, name, false));
    RETURN_IF_ERROR(writer->Append(bytes));
    return writer->Finish();
  }

  TempFolder folder_;
  World world_;
  FaultyFileSystem files_{RealFileSystem()};
  ArtifactStore store_{*world_.state, files_, folder_.path(), /*reserve_bytes=*/100};
  std::string job_;
};

TEST_F(ArtifactStoreTest, AFinishedFileIsThereWithSizeAndHash) {
  const v1::Artifact artifact = *Write("report.json", "{}");
  EXPECT_EQ(artifact.size_bytes(), 2);
  EXPECT_EQ(artifact.sha256(), Sha256Hex("{}"));
  EXPECT_EQ(*files_.Read(store_.Find(job_, "report.json")->path), "{}");
  EXPECT_EQ(world_.MustGet(job_).artifacts(0).name(), "report.json");
}

TEST_F(ArtifactStoreTest, WritingAgainReplaces) {
  ASSERT_TRUE(Write("report.json", "first").ok());
  ASSERT_TRUE(Write("report.json", "second").ok());
  EXPECT_EQ(*files_.Read(store_.Find(job_, "report.json")->path), "second");
  EXPECT_EQ(world_.MustGet(job_).artifacts_size(), 1);
}

TEST_F(ArtifactStoreTest, ABrokenUploadKeepsTheOldFileAndLeavesNoPart) {
  ASSERT_TRUE(Write("report.json", "first").ok());
  {
    const auto writer = *store_.Create(job_, "report.json", false);
    ASSERT_TRUE(writer->Append("half").ok());
  }
  const std::string path = store_.Find(job_, "report.json")->path;
  EXPECT_EQ(*files_.Read(path), "first");
  EXPECT_EQ(files_.List(ParentPath(path))->size(), 1u);
}

TEST_F(ArtifactStoreTest, NamesThatLeaveTheFolderAreRefused) {
  for (const char* name : {"../state.db", "a/b", "", ".", "report.json~1"}) {
    EXPECT_EQ(Write(name, "x").status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST_F(ArtifactStoreTest, AFullDiskIsAResourceExhausted) {
  files_.LimitWrites(50);
  EXPECT_EQ(Write("report.json", "x").status().code(), absl::StatusCode::kResourceExhausted);
  files_.LimitWrites(102);
  EXPECT_EQ(Write("report.json", std::string(200, 'x')).status().code(),
            absl::StatusCode::kResourceExhausted);
  files_.LimitWrites(std::nullopt);
  EXPECT_TRUE(Write("report.json", "x").ok());
}

}  // namespace
}  // namespace mantissa::jobs
