#include "server/jobs/worker_pool.h"

#include <signal.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"
#include "server/jobs/process.h"
#include "tests/server/jobs/world.h"

namespace mantissa::jobs {
namespace {

// Workers that write their token into their working folder and sleep.
class WorkerPoolTest : public testing::Test {
 protected:
  WorkerPoolTest() : world_(folder_.path(), "echo $MANTISSA_WORKER_TOKEN > token; sleep 100") {}
  ~WorkerPoolTest() override { world_.pool.StopAll(); }

  std::string TokenOf(const std::string& task) {
    const std::string path = JoinPath(folder_.path(), "work", task, "token");
    std::string token;
    for (int i = 0; i < 1000 && token.empty(); ++i) {
      RealClock().SleepFor(absl::Milliseconds(10));
      token = world_.files.Read(path).value_or("");
    }
    return token.substr(0, token.size() - 1);
  }
  absl::Status Start(const std::string& task, int attempt = 1) {
    return world_.pool.Start(task, attempt, JoinPath(folder_.path(), "log"));
  }

  // A worker of an earlier server: not a child of this process.
  ProcessId AddOrphan(const std::string& task) {
    FILE* const shell =
        popen("sleep 100 >/dev/null 2>&1 & echo $!; cut -d' ' -f22 /proc/$!/stat", "r");
    ProcessId orphan;
    EXPECT_EQ(fscanf(shell, "%ld %ld", &orphan.pid, &orphan.start_ticks), 2);
    pclose(shell);
    EXPECT_TRUE(world_.workers.Put({.task = task, .attempt = 1, .token_sha256 = "hash"}).ok());
    EXPECT_TRUE(world_.workers.SetProcess(task, orphan).ok());
    return orphan;
  }
  WorkerEnd CollectOne() {
    for (int i = 0; i < 1000; ++i) {
      const std::vector<WorkerEnd> ends = world_.pool.Collect();
      if (!ends.empty()) return ends[0];
      RealClock().SleepFor(absl::Milliseconds(10));
    }
    ADD_FAILURE() << "no worker ends";
    return {};
  }

  TempFolder folder_;
  World world_;
};

TEST_F(WorkerPoolTest, ATokenIsGoodForItsTaskOnly) {
  ASSERT_TRUE(Start("job-1", 3).ok());
  ASSERT_TRUE(Start("job-2").ok());
  const std::string token = TokenOf("job-1");
  EXPECT_EQ(token.size(), 64u);
  EXPECT_EQ(*world_.pool.Authenticate("job-1", token), 3);
  for (const auto& [task, wrong] : std::vector<std::pair<std::string, std::string>>{
           {"job-2", token}, {"job-1", token + "x"}, {"job-1", ""}, {"job-3", token}}) {
    EXPECT_EQ(world_.pool.Authenticate(task, wrong).status().code(),
              absl::StatusCode::kUnauthenticated);
  }
}

TEST_F(WorkerPoolTest, OnlyTheHashOfATokenIsOnDisk) {
  ASSERT_TRUE(Start("job-1").ok());
  const std::string token = TokenOf("job-1");
  EXPECT_EQ((*world_.workers.All())[0].token_sha256, Sha256Hex(token));
  for (const char* name : {"state.db", "state.db-wal"}) {
    EXPECT_EQ(world_.files.Read(JoinPath(folder_.path(), name))->find(token), std::string::npos);
  }
}

TEST_F(WorkerPoolTest, ATokenSurvivesTheServerAndEndsWithItsWorker) {
  ASSERT_TRUE(Start("job-1").ok());
  const std::string token = TokenOf("job-1");
  World again(folder_.path(), "sleep 100");
  ASSERT_TRUE(again.pool.Restore().ok());
  EXPECT_TRUE(again.pool.Authenticate("job-1", token).ok());
  again.pool.StopAll();
  EXPECT_FALSE(again.pool.Authenticate("job-1", token).ok());
  EXPECT_TRUE(again.workers.All()->empty());
}

TEST_F(WorkerPoolTest, TellsWhetherATakenUpWorkerEndedBeforeOrAfter) {
  kill(static_cast<pid_t>(AddOrphan("job-1").pid), SIGKILL);
  RealClock().SleepFor(absl::Milliseconds(200));
  ASSERT_TRUE(world_.pool.Restore().ok());
  EXPECT_EQ(CollectOne().how, "ended while the server was away");
  const ProcessId orphan = AddOrphan("job-2");
  ASSERT_TRUE(world_.pool.Restore().ok());
  ASSERT_TRUE(world_.pool.Collect().empty());
  kill(static_cast<pid_t>(orphan.pid), SIGKILL);
  EXPECT_EQ(CollectOne().how, "ended, how is not known: an earlier server had started it");
}

TEST_F(WorkerPoolTest, TheScratchFolderGoesWithTheWorker) {
  ASSERT_TRUE(Start("job-1").ok());
  TokenOf("job-1");
  const std::string folder = JoinPath(folder_.path(), "work", "job-1");
  EXPECT_TRUE(world_.files.Exists(folder));
  world_.pool.StopAll();
  EXPECT_FALSE(world_.files.Exists(folder));
}

TEST_F(WorkerPoolTest, CancelWakesTheReportStreamOfTheTask) {
  ASSERT_TRUE(Start("job-1").ok());
  int woken = 0;
  world_.notifier.Subscribe(WorkerPool::NotifierKey("job-1"), [&] { ++woken; });
  world_.pool.Cancel("job-1");
  world_.pool.Cancel("job-1");
  world_.pool.Cancel("job-2");
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(world_.pool.CancelRequested("job-1"));
}

TEST_F(WorkerPoolTest, AWorkerThatStaysAfterItsLastReportIsEnded) {
  ASSERT_TRUE(Start("job-1").ok());
  world_.pool.ExpectExit("job-1");
  world_.pool.Collect();
  EXPECT_TRUE(world_.pool.Has("job-1"));
  EXPECT_TRUE(world_.TickUntil([&] { return !world_.pool.Has("job-1"); }, absl::Seconds(1)));
}

}  // namespace
}  // namespace mantissa::jobs
