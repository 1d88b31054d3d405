#include "client/cc/transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/faulty_file.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/temp_folder.h"
#include "client/cc/errors.h"
#include "tests/client/fake_server.h"
#include "tests/client/fast_client.h"

namespace mantissa::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string RandomBytes(int64_t size) {
  RandomStream random(/*seed=*/1, /*stream=*/0);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Next());
  return bytes;
}

class TransferTest : public testing::Test {
 protected:
  LocalFile MakeFile(const std::string& bytes) {
    const std::string path = JoinPath(folder_.path(), "source");
    MANTISSA_CHECK_OK(files().WriteAtomically(path, bytes));
    auto file = HashFile(files(), path);
    MANTISSA_CHECK_OK(file);
    return *file;
  }

  std::string Stored(const LocalFile& file) {
    absl::MutexLock lock(&server_.state().mutex);
    return server_.state().blobs[file.sha256].bytes;
  }

  std::vector<int64_t> AskedFrom() {
    absl::MutexLock lock(&server_.state().mutex);
    return server_.state().asked_from;
  }

  void AddArtifact(const std::string& bytes, const std::string& declared = "") {
    server_.AddJob(TrainedJob("job-1", TrainingEvents(2, v1::JOB_STATE_SUCCEEDED)), {});
    server_.AddArtifact("job-1", "report.json", bytes, declared);
  }

  absl::Status Fetch(FileSystem& files, const std::string& name = "report.json") {
    return FetchFile(*client_, files, "job-1", name, destination_, {});
  }

  static FileSystem& files() { return RealFileSystem(); }

  FakeServer server_;
  TempFolder folder_;
  const std::string destination_ = JoinPath(folder_.path(), "report.json");
  std::unique_ptr<Client> client_ = FastClient(FastOptions(server_.address()));
};

TEST_F(TransferTest, UploadsAllBytesWithProgress) {
  const std::string bytes = RandomBytes(3'000'000);
  const LocalFile file = MakeFile(bytes);
  std::vector<int64_t> progress;
  const auto result =
      UploadFile(*client_, files(), file, {.on_progress = [&](int64_t done, int64_t total) {
        EXPECT_EQ(total, 3'000'000);
        progress.push_back(done);
      }});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->sent_bytes, 3'000'000);
  EXPECT_EQ(Stored(file), bytes);
  EXPECT_TRUE(std::is_sorted(progress.begin(), progress.end()));
  EXPECT_EQ(progress.back(), 3'000'000);
}

TEST_F(TransferTest, SendsNothingOfBytesThatServerHas) {
  const LocalFile file = MakeFile(RandomBytes(50'000));
  ASSERT_TRUE(UploadFile(*client_, files(), file, {}).ok());
  const auto again = UploadFile(*client_, files(), file, {});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->sent_bytes, 0);
  EXPECT_EQ(server_.Calls("UploadBlob"), 1);
}

TEST_F(TransferTest, UploadGoesOnWhereItBrokeOff) {
  const std::string bytes = RandomBytes(5'000'000);
  const LocalFile file = MakeFile(bytes);
  server_.BreakUploadAfter({1'500'000, 2'000'000});
  const auto result = UploadFile(*client_, files(), file, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Stored(file), bytes);
  EXPECT_EQ(server_.Calls("UploadBlob"), 3);
}

TEST_F(TransferTest, UploadsFileWithoutAnyBytes) {
  const LocalFile file = MakeFile("");
  EXPECT_TRUE(UploadFile(*client_, files(), file, {}).ok());
}

TEST_F(TransferTest, RefusesFileThatChangedSinceItWasHashed) {
  LocalFile file = MakeFile("some bytes");
  ASSERT_TRUE(files().WriteAtomically(file.path, "other bytes than before").ok());
  EXPECT_TRUE(absl::IsDataLoss(UploadFile(*client_, files(), file, {}).status()));
  EXPECT_EQ(server_.Calls("UploadBlob"), 0);
}

TEST_F(TransferTest, EndsUploadThatServerHasNoRoomFor) {
  const LocalFile file = MakeFile("some bytes");
  server_.FailNext("QueryBlob", absl::ResourceExhaustedError("at most 5 bytes"));
  EXPECT_TRUE(absl::IsResourceExhausted(UploadFile(*client_, files(), file, {}).status()));
}

TEST_F(TransferTest, FetchGoesOnWhereItBrokeOff) {
  const std::string bytes = RandomBytes(10'500);
  AddArtifact(bytes);
  server_.BreakFetchAfter({2, 0, 3});
  const absl::Status status = Fetch(files());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(*files().Read(destination_), bytes);
  EXPECT_THAT(AskedFrom(), ElementsAre(0, 2000, 2000, 5000));
}

TEST_F(TransferTest, FetchTakesUpWhatEarlierOneLeft) {
  const std::string bytes = RandomBytes(10'500);
  AddArtifact(bytes);
  FaultyFileSystem full(files());
  full.LimitWrites(4'000);
  EXPECT_TRUE(absl::IsResourceExhausted(Fetch(full)));
  EXPECT_FALSE(files().Exists(destination_));
  ASSERT_TRUE(Fetch(files()).ok());
  EXPECT_EQ(*files().Read(destination_), bytes);
  EXPECT_THAT(AskedFrom(), ElementsAre(0, 4000));
  EXPECT_THAT(*files().List(folder_.path()), ElementsAre("report.json"));
}

TEST_F(TransferTest, FetchKeepsNothingWithAnotherHash) {
  AddArtifact(RandomBytes(3'000), Sha256Hex("something else"));
  EXPECT_TRUE(absl::IsDataLoss(Fetch(files())));
  EXPECT_TRUE(files().List(folder_.path())->empty());
}

TEST_F(TransferTest, FetchRefusesHashThatIsNoHash) {
  AddArtifact(RandomBytes(3'000), "/../../../etc/passwd");
  EXPECT_FALSE(Fetch(files()).ok());
  EXPECT_TRUE(files().List(folder_.path())->empty());
}

TEST_F(TransferTest, FetchNamesArtifactsThereAre) {
  AddArtifact("{}");
  const absl::Status status = Fetch(files(), "weights");
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_TRUE(IsFromCall(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("it has report.json"));
}

}  // namespace
}  // namespace mantissa::client
