#include "server/jobs/blob_store.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/fake_clock.h"
#include "base/faulty_file.h"
#include "base/hash.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"
#include "tests/server/jobs/world.h"

namespace mantissa::jobs {
namespace {

class BlobStoreTest : public testing::Test {
 protected:
  BlobStoreTest() { Reopen(); }

  void Reopen() {
    store_.reset();
    state_.reset();
    state_ = World::Open(folder_.path());
    store_ = std::make_unique<BlobStore>(
        *state_, files_, clock_, JoinPath(folder_.path(), "blobs"),
        BlobLimits{.max_blob_bytes = int64_t{8} << 30, .reserve_bytes = 1000});
  }

  absl::StatusOr<BlobState> Upload(const std::string& sha256, int64_t size, int64_t offset,
                                   const std::string& bytes) {
    ASSIGN_OR_RETURN(std::unique_ptr<BlobUpload> upload, store_->Begin(sha256, size, offset));
    RETURN_IF_ERROR(upload->Append(bytes));
    return upload->Finish();
  }

  TempFolder folder_;
  FaultyFileSystem files_{RealFileSystem()};
  FakeClock clock_;
  std::unique_ptr<StateDatabase> state_;
  std::unique_ptr<BlobStore> store_;
  const std::string content_ = "some bytes of a data set";
  const std::string sha256_ = Sha256Hex(content_);
  const int64_t size_ = content_.size();
};

TEST_F(BlobStoreTest, AWholeUploadIsCompleteAndReadable) {
  const absl::StatusOr<BlobState> state = Upload(sha256_, size_, 0, content_);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->complete);
  EXPECT_EQ(*files_.Read(*store_->PathOf(sha256_)), content_);
  EXPECT_TRUE(store_->Query(sha256_, size_)->complete);
}

TEST_F(BlobStoreTest, AnUploadGoesOnFromItsOffsetAfterARestart) {
  ASSERT_TRUE(Upload(sha256_, size_, 0, content_.substr(0, 10)).ok());
  Reopen();
  const BlobState state = *store_->Query(sha256_, size_);
  EXPECT_EQ(state.committed_bytes, 10);
  EXPECT_FALSE(state.complete);
  EXPECT_TRUE(Upload(sha256_, size_, 10, content_.substr(10))->complete);
}

TEST_F(BlobStoreTest, AnotherOffsetThanTheCommittedIsOutOfRange) {
  ASSERT_TRUE(Upload(sha256_, size_, 0, content_.substr(0, 10)).ok());
  for (const int64_t offset : {0, 9, 11}) {
    const absl::Status status = Upload(sha256_, size_, offset, "x").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange) << offset;
  }
}

TEST_F(BlobStoreTest, BytesOfAnotherHashAreLostAndCanBeSentAgain) {
  std::string wrong = content_;
  wrong[3] ^= 1;
  EXPECT_EQ(Upload(sha256_, size_, 0, wrong).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(store_->Query(sha256_, size_)->committed_bytes, 0);
  EXPECT_TRUE(Upload(sha256_, size_, 0, content_)->complete);
}

TEST_F(BlobStoreTest, ADamagedPartIsFoundWhenTheUploadGoesOn) {
  std::string wrong = content_.substr(0, 10);
  wrong[3] ^= 1;
  ASSERT_TRUE(Upload(sha256_, size_, 0, wrong).ok());
  EXPECT_EQ(Upload(sha256_, size_, 10, content_.substr(10)).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(BlobStoreTest, MoreBytesThanDeclaredAreRefused) {
  EXPECT_EQ(Upload(sha256_, size_, 0, content_ + "x").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(BlobStoreTest, TenGigabytesAreRefusedBeforeTheFirstByte) {
  const absl::Status status = store_->Begin(sha256_, 10'000'000'000, 0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("8589934592"), std::string::npos) << status;
  EXPECT_NE(status.message().find("--max-blob-bytes"), std::string::npos) << status;
  EXPECT_EQ(store_->Query(sha256_, 10'000'000'000).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(BlobStoreTest, TheReserveOfTheDiskStaysFree) {
  files_.LimitWrites(1010);
  EXPECT_EQ(store_->Query(sha256_, size_).status().code(), absl::StatusCode::kResourceExhausted);
  files_.LimitWrites(1000 + size_);
  EXPECT_TRUE(store_->Query(sha256_, size_).ok());
}

TEST_F(BlobStoreTest, ADiskThatFillsOnTheWayKeepsWhatFitted) {
  std::unique_ptr<BlobUpload> upload = *store_->Begin(sha256_, size_, 0);
  ASSERT_TRUE(upload->Append(content_.substr(0, 5)).ok());
  files_.LimitWrites(3);
  EXPECT_EQ(upload->Append(content_.substr(5)).code(), absl::StatusCode::kResourceExhausted);
  upload.reset();
  files_.LimitWrites(std::nullopt);
  const BlobState state = *store_->Query(sha256_, size_);
  EXPECT_EQ(state.committed_bytes, 8);
  EXPECT_TRUE(Upload(sha256_, size_, state.committed_bytes, content_.substr(state.committed_bytes))
                  ->complete);
}

TEST_F(BlobStoreTest, OneUploadOfABlobAtATime) {
  const std::unique_ptr<BlobUpload> first = *store_->Begin(sha256_, size_, 0);
  EXPECT_EQ(store_->Begin(sha256_, size_, 0).status().code(), absl::StatusCode::kAborted);
}

TEST_F(BlobStoreTest, AFileWithoutItsRowIsUploadedAgain) {
  ASSERT_TRUE(
      files_.WriteAtomically(JoinPath(folder_.path(), "blobs", sha256_), "half written").ok());
  EXPECT_FALSE(store_->Query(sha256_, size_)->complete);
  EXPECT_TRUE(Upload(sha256_, size_, 0, content_)->complete);
  EXPECT_EQ(*files_.Read(*store_->PathOf(sha256_)), content_);
}

TEST_F(BlobStoreTest, AnEmptyFileIsABlobToo) {
  const std::string empty = Sha256Hex("");
  std::unique_ptr<BlobUpload> upload = *store_->Begin(empty, 0, 0);
  EXPECT_TRUE(upload->Finish()->complete);
}

TEST_F(BlobStoreTest, WhatNothingUsesGoesAfterItsTimeAndNotBefore) {
  ASSERT_TRUE(Upload(sha256_, size_, 0, content_).ok());
  ASSERT_TRUE(store_->RemoveStale().ok());
  EXPECT_TRUE(store_->Query(sha256_, size_)->complete);
  clock_.Advance(store_->limits().unused_keep + absl::Seconds(1));
  ASSERT_TRUE(store_->RemoveStale().ok());
  EXPECT_EQ(store_->PathOf(sha256_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(files_.Exists(JoinPath(folder_.path(), "blobs", sha256_)));
}

}  // namespace
}  // namespace mantissa::jobs
