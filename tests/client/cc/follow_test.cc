#include "client/cc/follow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cc/errors.h"
#include "tests/client/fake_server.h"
#include "tests/client/fast_client.h"

namespace mantissa::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FollowTest : public testing::Test {
 protected:
  void AddJob(int steps, v1::JobState end) {
    events_ = TrainingEvents(steps, end);
    server_.AddJob(TrainedJob("job-1", events_), events_);
  }

  absl::Status Follow(FollowOptions options = {}) {
    return FollowJob(*client_, "job-1", options,
                     [&](const v1::JobEvent& event) { seen_.push_back(event.sequence()); });
  }

  std::vector<int64_t> AllAfter(int64_t sequence) const {
    std::vector<int64_t> all;
    for (const v1::JobEvent& event : events_) {
      if (event.sequence() > sequence) all.push_back(event.sequence());
    }
    return all;
  }

  std::vector<int64_t> AskedFrom() {
    absl::MutexLock lock(&server_.state().mutex);
    return server_.state().asked_from;
  }

  FakeServer server_;
  std::unique_ptr<Client> client_ = FastClient(FastOptions(server_.address()));
  std::vector<v1::JobEvent> events_;
  std::vector<int64_t> seen_;
};

TEST_F(FollowTest, GivesEachEventOnceThroughBreaks) {
  AddJob(20, v1::JOB_STATE_SUCCEEDED);
  server_.BreakWatchAfter({3, 0, 5, 1});
  int breaks = 0;
  ASSERT_TRUE(Follow({.on_break = [&](const absl::Status&) { ++breaks; }}).ok());
  EXPECT_EQ(seen_, AllAfter(0));
  EXPECT_EQ(breaks, 4);
  EXPECT_THAT(AskedFrom(), ElementsAre(0, 3, 3, 8, 9));
}

TEST_F(FollowTest, StartsAfterSequenceThatWasGiven) {
  AddJob(4, v1::JOB_STATE_FAILED);
  ASSERT_TRUE(Follow({.after_sequence = 5}).ok());
  EXPECT_EQ(seen_, AllAfter(5));
}

TEST_F(FollowTest, GoesOnAfterServerStartsAgain) {
  events_ = TrainingEvents(6, v1::JOB_STATE_RUNNING);
  server_.AddJob(TrainedJob("job-1", events_), events_);
  std::thread restarting([&] {
    while (server_.Calls("WatchJob") == 0) std::this_thread::yield();
    server_.Stop();
    AddJob(6, v1::JOB_STATE_SUCCEEDED);
    server_.Restart();
  });
  const absl::Status status = Follow();
  restarting.join();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen_, AllAfter(0));
  EXPECT_GE(server_.Calls("WatchJob"), 2);
}

TEST_F(FollowTest, EndsWhenNothingFollowsTheLastEvent) {
  AddJob(4, v1::JOB_STATE_CANCELLED);
  ASSERT_TRUE(Follow({.after_sequence = events_.back().sequence()}).ok());
  EXPECT_TRUE(seen_.empty());
}

TEST_F(FollowTest, TakesStreamUpThatEndsBeforeTheJob) {
  AddJob(4, v1::JOB_STATE_SUCCEEDED);
  // The server's stream ends well, but without the last event, which comes later.
  std::vector<v1::JobEvent> early(events_.begin(), events_.end() - 1);
  server_.AddJob(TrainedJob("job-1", events_), early);
  std::thread adding([&] {
    while (server_.Calls("WatchJob") < 2) std::this_thread::yield();
    server_.AddJob(TrainedJob("job-1", events_), events_);
  });
  const absl::Status status = Follow();
  adding.join();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen_, AllAfter(0));
}

TEST_F(FollowTest, ReportsEventThatServerLeftOut) {
  AddJob(4, v1::JOB_STATE_SUCCEEDED);
  std::vector<v1::JobEvent> gap = events_;
  gap.erase(gap.begin() + 4);
  server_.AddJob(TrainedJob("job-1", events_), gap);
  const absl::Status status = Follow();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("events 5 to 5 of job-1"));
}

TEST_F(FollowTest, StopsAtOnceWhenAskedTo) {
  AddJob(4, v1::JOB_STATE_RUNNING);
  std::stop_source stop;
  std::thread stopping([&] {
    while (server_.Calls("WatchJob") == 0) std::this_thread::yield();
    stop.request_stop();
  });
  const absl::Status status = Follow({.stop = stop.get_token()});
  stopping.join();
  EXPECT_TRUE(absl::IsCancelled(status));
  EXPECT_FALSE(IsFromCall(status));
}

TEST_F(FollowTest, GivesUpOnUnknownJobWithoutTryingAgain) {
  const absl::Status status = Follow();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(server_.Calls("WatchJob"), 1);
}

TEST_F(FollowTest, LosesPatienceWithServerThatStaysAway) {
  ConnectOptions options = FastOptions(server_.address());
  options.retry.patience = absl::Milliseconds(30);
  client_ = FastClient(options);
  server_.Stop();
  EXPECT_TRUE(IsUnreachable(Follow()));
}

TEST_F(FollowTest, ReadsLogOnceThroughBreaks) {
  AddJob(4, v1::JOB_STATE_SUCCEEDED);
  const std::string log = "one line\nanother line\nand a last one without end";
  server_.SetLog("job-1", log);
  server_.BreakLogsAfter({1, 2});
  std::string read;
  const absl::Status status =
      ReadLogs(*client_, "job-1", {.offset = 4, .follow = true},
               [&](absl::string_view bytes) { absl::StrAppend(&read, bytes); });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(read, log.substr(4));
  EXPECT_THAT(AskedFrom(), ElementsAre(4, 14, 34));
}

}  // namespace
}  // namespace mantissa::client
