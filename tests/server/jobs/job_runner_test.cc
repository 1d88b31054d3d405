#include "server/jobs/job_runner.h"

#include <signal.h>

#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/temp_folder.h"
#include "gtest/gtest.h"
#include "tests/server/jobs/world.h"

namespace mantissa::jobs {
namespace {

using internal::v1::WorkerReport;

class JobRunnerTest : public testing::Test {
 protected:
  // A server whose workers do `script`.
  World& Start(const std::string& script, WorldOptions options = {}) {
    world_ = std::make_unique<World>(folder_.path(), script, options);
    if (!world_->datasets.Get("digits").ok()) world_->AddDataset("digits");
    return *world_;
  }
  ~JobRunnerTest() override {
    if (world_ != nullptr) world_->pool.StopAll();
  }

  TempFolder folder_;
  std::unique_ptr<World> world_;
};

TEST_F(JobRunnerTest, StartsTheOldestFirstAndOnlyAsManyAsMayRun) {
  World& world = Start("sleep 100", {.max_running = 2});
  const std::vector<std::string> ids = {world.MustSubmit("digits").id(),
                                        world.MustSubmit("digits").id(),
                                        world.MustSubmit("digits").id()};
  world.supervisor.Tick();
  EXPECT_EQ(world.MustGet(ids[0]).state(), v1::JOB_STATE_PLANNING);
  EXPECT_EQ(world.MustGet(ids[1]).state(), v1::JOB_STATE_PLANNING);
  EXPECT_EQ(world.MustGet(ids[2]).state(), v1::JOB_STATE_PENDING);
  ASSERT_TRUE(world.desk.Cancel(ids[0]).ok());
  ASSERT_TRUE(world.TickUntilState(ids[2], v1::JOB_STATE_PLANNING, absl::Seconds(1)));
  EXPECT_EQ(world.MustGet(ids[0]).state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(JobRunnerTest, TellsTheWorkerWhatToDo) {
  World& world = Start("sleep 100");
  const std::string id = world.MustSubmit("digits").id();
  world.supervisor.Tick();
  const internal::v1::Task task = *world.runner.TaskOf(id, 1);
  EXPECT_EQ(task.train().job_id(), id);
  EXPECT_EQ(task.train().plan().tensors_size(), 1);
  EXPECT_EQ(task.train().dataset().name(), "digits");
  EXPECT_EQ(task.train().spec().training().epochs(), 200);
  EXPECT_EQ(world.runner.TaskOf(id, 2).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(JobRunnerTest, KeepsEachReportOnceHoweverOftenItIsSent) {
  World& world = Start("sleep 100");
  const std::string id = world.MustSubmit("digits").id();
  world.supervisor.Tick();
  const std::vector<WorkerReport> reports = {StepReport(1, 1), StepReport(2, 2), StepReport(3, 3)};
  EXPECT_EQ(*world.runner.Report(id, 1, {reports[0], reports[1]}), 2);
  EXPECT_EQ(*world.runner.Report(id, 1, reports), 3);
  EXPECT_EQ(*world.runner.Report(id, 1, reports), 3);
  int steps = 0;
  for (const v1::JobEvent& event : world.Events(id)) steps += event.has_step_done() ? 1 : 0;
  EXPECT_EQ(steps, 3);
}

TEST_F(JobRunnerTest, StreamsThatBringTheSameReportsAtOnceKeepEachOnce) {
  World& world = Start("sleep 100");
  const std::string id = world.MustSubmit("digits").id();
  world.supervisor.Tick();
  constexpr int kReports = 40;
  const auto stream = [&] {
    std::vector<WorkerReport> reports;
    for (int number = 1; number <= kReports; ++number) {
      reports.push_back(StepReport(number, number));
      EXPECT_GE(world.runner.Report(id, 1, reports).value_or(-1), number);
    }
  };
  std::vector<std::thread> streams;
  for (int i = 0; i < 4; ++i) streams.emplace_back(stream);
  for (std::thread& thread : streams) thread.join();
  std::vector<int64_t> steps;
  for (const v1::JobEvent& event : world.Events(id)) {
    if (event.has_step_done()) steps.push_back(event.step_done().step());
  }
  std::vector<int64_t> wanted(kReports);
  std::iota(wanted.begin(), wanted.end(), 1);
  EXPECT_EQ(steps, wanted);
}

TEST_F(JobRunnerTest, AGapInTheReportsIsRefused) {
  World& world = Start("sleep 100");
  const std::string id = world.MustSubmit("digits").id();
  world.supervisor.Tick();
  EXPECT_EQ(world.runner.Report(id, 1, {StepReport(2, 2)}).status().code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_EQ(*world.runner.Report(id, 1, {StepReport(0, 1)}), 0) << "a sign of life";
}

TEST_F(JobRunnerTest, AKilledWorkerIsTriedAgainThenFailsWithItsCause) {
  World& world = Start("kill -9 $$");
  const std::string id = world.MustSubmit("digits").id();
  ASSERT_TRUE(world.TickUntilState(id, v1::JOB_STATE_FAILED, absl::Milliseconds(200)));
  const v1::Job job = world.MustGet(id);
  EXPECT_EQ(job.attempt(), 2);
  EXPECT_EQ(job.failure().cause(), v1::FAILURE_CAUSE_WORKER_DIED);
  EXPECT_TRUE(absl::StrContains(job.failure().message(), "signal 9")) << job.failure().message();
  EXPECT_EQ(world.observer.deaths[v1::FAILURE_CAUSE_WORKER_DIED], 2);
  bool noticed = false;
  for (const v1::JobEvent& event : world.Events(id)) {
    noticed |= absl::StrContains(event.notice().message(), "starts again");
  }
  EXPECT_TRUE(noticed);
}

TEST_F(JobRunnerTest, ALateReportOfADeadWorkerLeavesTheJobInTheQueue) {
  World& world = Start("kill -9 $$");
  const std::string id = world.MustSubmit("digits").id();
  ASSERT_TRUE(
      world.TickUntil([&] { return world.observer.deaths[v1::FAILURE_CAUSE_WORKER_DIED] == 1; }));
  ASSERT_EQ(world.MustGet(id).state(), v1::JOB_STATE_PENDING);
  WorkerReport succeeded;
  succeeded.set_number(1);
  succeeded.mutable_succeeded();
  EXPECT_EQ(world.runner.Report(id, 1, {succeeded}).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(world.MustGet(id).state(), v1::JOB_STATE_PENDING);
}

TEST_F(JobRunnerTest, AReportedFailureIsNotTriedAgain) {
  World& world = Start("sleep 100");
  const std::string id = world.MustSubmit("digits").id();
  world.supervisor.Tick();
  WorkerReport failed;
  failed.set_number(1);
  failed.mutable_failed()->set_cause(v1::FAILURE_CAUSE_OUT_OF_MEMORY);
  failed.mutable_failed()->set_message("Memory ran out.");
  ASSERT_TRUE(world.runner.Report(id, 1, {failed}).ok());
  const v1::Job job = world.MustGet(id);
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.attempt(), 1);
  EXPECT_EQ(job.failure().cause(), v1::FAILURE_CAUSE_OUT_OF_MEMORY);
}

TEST_F(JobRunnerTest, AWorkerThatSaysNothingIsLostAndKilled) {
  World& world = Start("sleep 1000");
  v1::SubmitJobRequest request = world.Request("digits");
  request.mutable_spec()->set_max_retries(0);
  const std::string id = world.desk.Submit(request)->id();
  ASSERT_TRUE(world.TickUntilState(id, v1::JOB_STATE_FAILED, absl::Seconds(10)));
  const v1::Job job = world.MustGet(id);
  EXPECT_EQ(job.failure().cause(), v1::FAILURE_CAUSE_WORKER_LOST);
  EXPECT_TRUE(absl::StrContains(job.failure().message(), "said nothing for 1m"))
      << job.failure().message();
}

TEST_F(JobRunnerTest, SignsOfLifeKeepAWorker) {
  World& world = Start("sleep 1000");
  const std::string id = world.MustSubmit("digits").id();
  for (int i = 0; i < 10; ++i) {
    world.supervisor.Tick();
    world.clock.Advance(absl::Seconds(50));
    world.pool.Heard(id);
  }
  EXPECT_EQ(world.MustGet(id).state(), v1::JOB_STATE_PLANNING);
}

TEST_F(JobRunnerTest, AWorkerDeafToCancelIsKilled) {
  World& world = Start("trap '' TERM; while true; do sleep 0.1; done");
  const std::string id = world.MustSubmit("digits").id();
  world.supervisor.Tick();
  ASSERT_TRUE(world.desk.Cancel(id).ok());
  EXPECT_TRUE(world.pool.CancelRequested(id));
  EXPECT_NE(world.MustGet(id).state(), v1::JOB_STATE_CANCELLED);
  ASSERT_TRUE(world.TickUntilState(id, v1::JOB_STATE_CANCELLED, absl::Seconds(1)));
  EXPECT_EQ(world.MustGet(id).attempt(), 1);
}

TEST_F(JobRunnerTest, AWorkerProgramThatIsNotThereFailsTheJobByName) {
  World& world = Start("exit 0");
  ASSERT_TRUE(world.files.Remove(world.program).ok());
  const std::string id = world.MustSubmit("digits").id();
  ASSERT_TRUE(world.TickUntilState(id, v1::JOB_STATE_FAILED));
  EXPECT_TRUE(absl::StrContains(world.MustGet(id).failure().message(), "worker.sh"));
}

TEST_F(JobRunnerTest, AStartWhoseFailureCannotBeKeptYetFailsLater) {
  World& world = Start("sleep 100");
  const std::string id = world.MustSubmit("digits").id();
  const auto set_writable = [&](bool writable) {
    absl::MutexLock lock(&world.state->mutex());
    ASSERT_TRUE(world.state->db().Script(absl::StrCat("PRAGMA query_only = ", !writable)).ok());
  };
  world.planner.on_plan = [&] { set_writable(false); };
  world.supervisor.Tick();
  EXPECT_EQ(world.MustGet(id).state(), v1::JOB_STATE_PLANNING);
  set_writable(true);
  ASSERT_TRUE(world.TickUntilState(id, v1::JOB_STATE_FAILED, absl::Seconds(5)));
  EXPECT_EQ(world.MustGet(id).failure().cause(), v1::FAILURE_CAUSE_INTERNAL);
}

TEST_F(JobRunnerTest, ARestartedServerTakesUpItsWorkers) {
  Start("sleep 1000");
  const std::string id = world_->MustSubmit("digits").id();
  world_->supervisor.Tick();
  ASSERT_TRUE(world_->runner.Report(id, 1, {StepReport(1, 1), StepReport(2, 2)}).ok());

  World& again = Start("sleep 1000");
  ASSERT_TRUE(again.pool.Restore().ok());
  ASSERT_TRUE(again.runner.Recover().ok());
  EXPECT_EQ(again.pool.Count("job-"), 1);
  again.supervisor.Tick();
  EXPECT_EQ(again.MustGet(id).state(), v1::JOB_STATE_RUNNING);
  // The worker sends again what it has no answer for.
  EXPECT_EQ(*again.runner.Report(id, 1, {StepReport(2, 2), StepReport(3, 3)}), 3);
  EXPECT_EQ(again.MustGet(id).progress().step(), 3);
  EXPECT_EQ(again.observer.starts, 0);
}

TEST_F(JobRunnerTest, AWorkerThatDiedWhileTheServerWasAwayIsTriedAgain) {
  Start("sleep 1000");
  const std::string id = world_->MustSubmit("digits").id();
  world_->supervisor.Tick();
  const ProcessId process = (*world_->workers.All())[0].process;
  SignalGroup(process, SIGKILL);
  while (!FindEnd(process).has_value()) world_->files.Exists("/");

  World& again = Start("sleep 1000");
  ASSERT_TRUE(again.pool.Restore().ok());
  ASSERT_TRUE(again.runner.Recover().ok());
  ASSERT_TRUE(
      again.TickUntil([&] { return again.MustGet(id).attempt() == 2; }, absl::Milliseconds(200)));
}

TEST_F(JobRunnerTest, AJobCaughtBetweenPlanAndWorkerGoesBackToTheQueue) {
  Start("sleep 1000");
  const std::string id = world_->MustSubmit("digits").id();
  world_->supervisor.Tick();
  world_->pool.StopAll();  // no row is left, as if none had been written

  World& again = Start("sleep 1000");
  ASSERT_TRUE(again.pool.Restore().ok());
  ASSERT_TRUE(again.runner.Recover().ok());
  EXPECT_EQ(again.MustGet(id).state(), v1::JOB_STATE_PENDING);
  again.supervisor.Tick();
  EXPECT_EQ(again.MustGet(id).attempt(), 2);
  EXPECT_EQ(again.store.Load(id)->retries, 0) << "nobody's fault: no retry is used up";
}

TEST_F(JobRunnerTest, AWishToCancelOutlivesTheServer) {
  Start("trap '' TERM; while true; do sleep 0.1; done");
  const std::string id = world_->MustSubmit("digits").id();
  world_->supervisor.Tick();
  ASSERT_TRUE(world_->desk.Cancel(id).ok());

  World& again = Start("sleep 1000");
  ASSERT_TRUE(again.pool.Restore().ok());
  ASSERT_TRUE(again.runner.Recover().ok());
  EXPECT_TRUE(again.pool.CancelRequested(id));
  EXPECT_TRUE(again.TickUntilState(id, v1::JOB_STATE_CANCELLED, absl::Seconds(1)));
}

TEST_F(JobRunnerTest, HiddenFilesGoWhenTheJobHasEnded) {
  World& world = Start("sleep 100");
  const std::string id = world.MustSubmit("digits").id();
  world.supervisor.Tick();
  for (const bool hidden : {true, false}) {
    auto writer = *world.artifacts.Create(id, hidden ? "checkpoint" : "report.json", hidden);
    ASSERT_TRUE(writer->Append("x").ok());
    ASSERT_TRUE(writer->Finish().ok());
  }
  EXPECT_EQ(world.MustGet(id).artifacts_size(), 1);
  ASSERT_TRUE(world.desk.Cancel(id).ok());
  ASSERT_TRUE(world.TickUntilState(id, v1::JOB_STATE_CANCELLED, absl::Seconds(1)));
  EXPECT_TRUE(world.artifacts.Find(id, "report.json").ok());
  const absl::Status gone = world.artifacts.Find(id, "checkpoint").status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(gone.message(), "report.json")) << gone;
}

}  // namespace
}  // namespace mantissa::jobs
