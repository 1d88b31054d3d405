// A server that dies while jobs run: the workers go on, the next server takes them up.

#include <signal.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/server/main/daemon.h"

namespace mantissa {
namespace {

// Every event once, in order; the steps from 1 on, each once.
void ExpectNoGapAndNoRepeat(const std::vector<v1::JobEvent>& events, int64_t steps) {
  int64_t step = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events[i].sequence(), static_cast<int64_t>(i + 1));
    if (events[i].has_step_done()) {
      ASSERT_EQ(events[i].step_done().step(), ++step);
    }
  }
  EXPECT_EQ(step, steps);
  EXPECT_EQ(events.back().state_changed().to(), v1::JOB_STATE_SUCCEEDED);
}

TEST(Restart, AKilledServerLosesNoEventOfAJobThatRunsOn) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  daemon.PushDataset("digits");
  const std::string id = daemon.Submit("steps 200 10");
  std::vector<v1::JobEvent> events;
  daemon.Watch(id, events, 30);
  const std::vector<pid_t> workers = daemon.WorkerPids();
  ASSERT_EQ(workers.size(), 1u);

  daemon.Kill();
  EXPECT_EQ(daemon.WorkerPids(), workers) << "the worker goes on";
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  EXPECT_EQ(daemon.WorkerPids(), workers);
  daemon.Watch(id, events, 100);
  daemon.Kill();  // and once more
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  const grpc::Status status = daemon.Watch(id, events);

  EXPECT_TRUE(status.ok()) << status.error_message();
  ExpectNoGapAndNoRepeat(events, 200);
  EXPECT_EQ(daemon.Get(id).attempt(), 1);
  EXPECT_EQ(daemon.Get(id).artifacts_size(), 2);
}

TEST(Restart, AWorkerThatDiesWhileTheServerIsAwayIsTriedAgain) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  daemon.PushDataset("digits");
  const std::string id = daemon.Submit("steps 300 10");
  std::vector<v1::JobEvent> events;
  daemon.Watch(id, events, 10);
  const std::vector<pid_t> workers = daemon.WorkerPids();
  ASSERT_EQ(workers.size(), 1u);
  daemon.Kill();
  kill(workers[0], SIGKILL);
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  ASSERT_TRUE(daemon.WaitForState(id, v1::JOB_STATE_SUCCEEDED));
  EXPECT_EQ(daemon.Get(id).attempt(), 2);
}

TEST(Restart, AnOrderlyStopLeavesWorkersAndTheQueue) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  daemon.PushDataset("digits");
  const std::string running = daemon.Submit("steps 150 10");
  const std::string waiting = daemon.Submit("steps 3 1");
  std::vector<v1::JobEvent> events;
  daemon.Watch(running, events, 10);
  EXPECT_EQ(daemon.Stop(SIGTERM), 0);
  EXPECT_EQ(daemon.WorkerPids().size(), 1u);
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  daemon.Watch(running, events);
  ExpectNoGapAndNoRepeat(events, 150);
  EXPECT_TRUE(daemon.WaitForState(waiting, v1::JOB_STATE_SUCCEEDED));
}

TEST(Restart, AStopEndsWatchesAsUnavailableSoThatClientsComeBack) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  daemon.PushDataset("digits");
  const std::string id = daemon.Submit("steps 200 10");
  std::vector<v1::JobEvent> events;
  ASSERT_TRUE(daemon.WaitForState(id, v1::JOB_STATE_RUNNING));
  grpc::Status status;
  std::thread watch([&] { status = daemon.Watch(id, events); });
  EXPECT_TRUE(daemon.WaitFor([&] { return daemon.Get(id).progress().step() > 5; }));
  EXPECT_EQ(daemon.Stop(SIGTERM), 0);
  watch.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
}

TEST(Restart, StopWorkersEndsThemAndTheirJobsGoOnLater) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start({"--stop-workers"})) << daemon.error();
  daemon.PushDataset("digits");
  const std::string id = daemon.Submit("steps 100 10", /*max_retries=*/0);
  std::vector<v1::JobEvent> events;
  daemon.Watch(id, events, 10);
  EXPECT_EQ(daemon.Stop(SIGINT), 0);
  EXPECT_TRUE(daemon.WorkerPids().empty());
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  EXPECT_TRUE(daemon.WaitForState(id, v1::JOB_STATE_SUCCEEDED));
  EXPECT_EQ(daemon.Get(id).attempt(), 2);
}

TEST(Restart, OneServerADataFolder) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.error();
  Daemon second;
  EXPECT_FALSE(second.Start({"--data-dir=" + daemon.folder()}));
  EXPECT_TRUE(absl::StrContains(second.error(), "Another mantissad serves")) << second.error();
}

}  // namespace
}  // namespace mantissa
