#include "server/rpc/worker_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "tests/server/rpc/fake_worker_service.h"

namespace mantissa::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

internal::v1::WorkerReport Step(int64_t step) {
  internal::v1::WorkerReport report;
  report.mutable_step_done()->set_step(step);
  return report;
}

class WorkerChannelTest : public testing::Test {
 protected:
  WorkerChannelOptions Options() {
    return {.server = server_.address(),
            .task = FakeWorkerService::kTask,
            .token = FakeWorkerService::kToken,
            .reconnect_limit = absl::Seconds(10),
            .alive_interval = absl::Milliseconds(50)};
  }
  std::string Path(absl::string_view name) { return JoinPath(folder_.path(), name); }

  TempFolder folder_;
  FakeWorkerService server_;
};

TEST_F(WorkerChannelTest, TaskComesWithTheRightTokenOnly) {
  server_.task().mutable_train()->set_job_id("job-1");
  WorkerChannel channel(Options());
  auto task = channel.GetTask();
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->train().job_id(), "job-1");

  WorkerChannelOptions wrong = Options();
  wrong.token = "guess";
  EXPECT_EQ(WorkerChannel(wrong).GetTask().status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(WorkerChannelTest, TaskIsAskedForUntilTheServerIsThere) {
  server_.Stop();
  std::thread later([this] {
    absl::SleepFor(absl::Milliseconds(700));
    server_.Start();
  });
  WorkerChannel channel(Options());
  EXPECT_TRUE(channel.GetTask().ok());
  later.join();
}

TEST_F(WorkerChannelTest, GivesUpWhenTheServerStaysAway) {
  server_.Stop();
  WorkerChannelOptions options = Options();
  options.reconnect_limit = absl::Milliseconds(400);
  WorkerChannel channel(options);
  channel.StartReporting();
  ASSERT_TRUE(channel.Report(Step(1)).ok());
  absl::Status status = channel.Drain();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("for 400ms, the limit"));
  EXPECT_FALSE(channel.Report(Step(2)).ok());
}

TEST_F(WorkerChannelTest, ReportsSurviveRestartsWithoutGapOrRepeat) {
  server_.set_acknowledge_every(3);
  WorkerChannel channel(Options());
  channel.StartReporting();
  int64_t step = 0;
  auto report = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(channel.Report(Step(++step)).ok());
  };
  for (int restart = 1; restart <= 3; ++restart) {
    report(100);
    ASSERT_TRUE(server_.WaitFor(
        [&](const auto& reports) { return static_cast<int64_t>(reports.size()) > step - 50; }));
    report(50);  // some of these are on their way when the server goes
    server_.Stop();
    report(50);
    server_.Start();
  }
  internal::v1::WorkerReport last;
  last.mutable_succeeded();
  ASSERT_TRUE(channel.Report(last).ok());
  EXPECT_TRUE(channel.Drain().ok());
  auto reports = server_.reports();
  ASSERT_THAT(reports, SizeIs(step + 1));
  for (int64_t i = 0; i < step; ++i) {
    EXPECT_EQ(reports[i].number(), i + 1);
    EXPECT_EQ(reports[i].step_done().step(), i + 1);
  }
  EXPECT_GE(server_.streams(), 4);
}

TEST_F(WorkerChannelTest, ShowsSignsOfLifeWhileNothingHappens) {
  WorkerChannel channel(Options());
  channel.StartReporting();
  for (int i = 0; i < 200 && server_.signs_of_life() < 4; ++i) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  EXPECT_GE(server_.signs_of_life(), 4);
  EXPECT_TRUE(server_.reports().empty());
}

TEST_F(WorkerChannelTest, CancellationReachesTheWorkerAndFreesIt) {
  server_.set_acknowledge_every(0);
  WorkerChannelOptions options = Options();
  options.max_pending_bytes = 2000;
  WorkerChannel channel(options);
  channel.StartReporting();
  EXPECT_FALSE(channel.cancelled());
  std::thread later([this] {
    absl::SleepFor(absl::Milliseconds(200));
    server_.Cancel();
  });
  // Fills the queue, waits there, and is let go by the cancellation.
  int step = 0;
  while (!channel.cancelled()) ASSERT_TRUE(channel.Report(Step(++step)).ok());
  EXPECT_LT(step, 100);
  later.join();
}

TEST_F(WorkerChannelTest, ReportsWaitWhereTooManyAreUnacknowledged) {
  server_.set_acknowledge_every(0);
  WorkerChannelOptions options = Options();
  options.max_pending_bytes = 2000;
  WorkerChannel channel(options);
  channel.StartReporting();
  std::atomic<int> pushed = 0;
  std::thread worker([&] {
    for (int step = 1; step <= 200; ++step) {
      if (!channel.Report(Step(step)).ok()) return;
      pushed = step;
    }
  });
  absl::SleepFor(absl::Milliseconds(300));
  EXPECT_LT(pushed, 100);
  server_.set_acknowledge_every(1);
  server_.Stop();
  server_.Start();
  worker.join();
  EXPECT_EQ(pushed, 200);
}

TEST_F(WorkerChannelTest, EndsWhenTheServerDisownsTheAttempt) {
  WorkerChannel channel(Options());
  channel.StartReporting();
  ASSERT_TRUE(channel.Report(Step(1)).ok());
  ASSERT_TRUE(channel.Drain().ok());
  server_.Disown();
  (void)channel.Report(Step(2));
  absl::Status status = channel.Drain();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
  EXPECT_EQ(channel.health().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(WorkerChannelTest, StreamWithoutAnswerIsOpenedAnew) {
  server_.set_acknowledge_every(0);
  WorkerChannelOptions options = Options();
  options.stall_limit = absl::Milliseconds(200);
  WorkerChannel channel(options);
  channel.StartReporting();
  ASSERT_TRUE(channel.Report(Step(1)).ok());
  for (int i = 0; i < 200 && server_.streams() < 3; ++i) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_GE(server_.streams(), 3);
}

TEST_F(WorkerChannelTest, BlobsContinueWhereTheyBroke) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) absl::StrAppend(&bytes, i, ",");
  std::string sha256 = server_.AddBlob(bytes);
  server_.set_break_blob_after(3000);
  WorkerChannel channel(Options());
  absl::Status status = channel.ReadBlob(sha256, static_cast<int64_t>(bytes.size()), Path("blob"));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(*RealFileSystem().Read(Path("blob")), bytes);
}

TEST_F(WorkerChannelTest, BlobsWithOtherBytesAreRefused) {
  std::string sha256 = server_.AddBlob(std::string(5000, 'x'));
  WorkerChannel channel(Options());
  EXPECT_EQ(channel.ReadBlob(sha256, 4000, Path("blob")).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(channel.ReadBlob(sha256, 6000, Path("blob")).code(), absl::StatusCode::kDataLoss);
  server_.set_blob_lies(true);
  EXPECT_EQ(channel.ReadBlob(sha256, 5000, Path("blob")).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(channel.ReadBlob(std::string(64, '0'), 5, Path("blob")).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(WorkerChannelTest, ArtifactsGoUpAndComeBack) {
  std::string bytes((2 << 20) + 7, 'w');
  bytes += "end";
  ASSERT_TRUE(RealFileSystem().WriteAtomically(Path("weights"), bytes).ok());
  WorkerChannel channel(Options());
  absl::Status written = channel.WriteArtifact("weights.safetensors", Path("weights"), false);
  ASSERT_TRUE(written.ok()) << written;
  EXPECT_EQ(server_.artifacts().at("weights.safetensors"), bytes);
  ASSERT_TRUE(channel.ReadArtifact("weights.safetensors", Path("back")).ok());
  EXPECT_EQ(*RealFileSystem().Read(Path("back")), bytes);
  EXPECT_EQ(channel.ReadArtifact("checkpoint", Path("back")).code(), absl::StatusCode::kNotFound);
}

TEST_F(WorkerChannelTest, MissingFilesAndFoldersAreErrorsOfTheDisk) {
  std::string sha256 = server_.AddBlob("x");
  WorkerChannel channel(Options());
  EXPECT_EQ(channel.ReadBlob(sha256, 1, Path("no/folder")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(channel.WriteArtifact("a", Path("nothing"), false).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace mantissa::rpc
