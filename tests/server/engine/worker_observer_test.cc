#include "server/engine/worker_observer.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/models/builder.h"
#include "tests/server/rpc/fake_worker_service.h"

namespace mantissa::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kBudget = 1000;

planner::Graph MakeGraph() {
  planner::GraphBuilder net("small", {3, 4, 4});
  const planner::ValueId x = net.Flatten("flatten", net.input());
  return std::move(net).Finish(net.Linear("linear", x, 2));
}

planner::MemoryForecast Peak(int64_t bytes) {
  planner::MemoryForecast step{.points = {{.node = 1}}, .peak_bytes = bytes};
  step.points[0].by_kind.of(planner::MemoryKind::kActivations) = bytes;
  return step;
}

class WorkerObserverTest : public testing::Test {
 protected:
  // What is told when steps 1, 2, ... need so much at their peaks.
  std::vector<internal::v1::WorkerReport> ReportsOf(int64_t budget,
                                                    const std::vector<int64_t>& peaks) {
    rpc::WorkerChannel channel({.server = server_.address(),
                                .task = rpc::FakeWorkerService::kTask,
                                .token = rpc::FakeWorkerService::kToken});
    channel.StartReporting();
    absl::StatusOr<History> history =
        History::Open(RealFileSystem(), JoinPath(folder_.path(), "history.jsonl"));
    MANTISSA_CHECK_OK(history);
    WorkerObserver observer(channel, *history,
                            {.graph = graph_,
                             .memory_budget_bytes = budget,
                             .load_time = [] { return absl::ZeroDuration(); },
                             .stop = [] { return false; }});
    for (size_t i = 0; i < peaks.size(); ++i) {
      MANTISSA_CHECK_OK(observer.OnMemory({.step = static_cast<int64_t>(i) + 1,
                                           .device = "cpu",
                                           .measured = Peak(peaks[i]),
                                           .predicted = Peak(kBudget - 10)}));
    }
    MANTISSA_CHECK_OK(channel.Drain());
    return server_.reports();
  }

  static std::vector<std::string> NoticesIn(
      const std::vector<internal::v1::WorkerReport>& reports) {
    std::vector<std::string> notices;
    for (const internal::v1::WorkerReport& report : reports) {
      if (report.has_notice()) notices.push_back(report.notice().message());
    }
    return notices;
  }

  const planner::Graph graph_ = MakeGraph();
  TempFolder folder_;
  rpc::FakeWorkerService server_;
};

TEST_F(WorkerObserverTest, TellsOnceOfTheFirstStepThatNeedsMoreThanTheBudget) {
  const auto reports = ReportsOf(kBudget, {kBudget, kBudget + 1, kBudget + 50});
  EXPECT_THAT(NoticesIn(reports),
              ElementsAre(AllOf(HasSubstr("step 2 needed 1001 bytes"),
                                HasSubstr("the budget of 1000"), HasSubstr("planned with 990"))));
  // After the measurement that it is about.
  ASSERT_THAT(reports, SizeIs(4));
  EXPECT_EQ(reports[1].memory_measured().measured().peak_bytes(), kBudget + 1);
  EXPECT_EQ(reports[1].memory_measured().budget_bytes(), kBudget);
  EXPECT_TRUE(reports[2].has_notice());
}

TEST_F(WorkerObserverTest, TellsNothingOfPeaksWithinTheBudget) {
  EXPECT_THAT(NoticesIn(ReportsOf(kBudget, {kBudget - 5, kBudget})), IsEmpty());
}

TEST_F(WorkerObserverTest, TellsNothingWhereThereIsNoBudget) {
  EXPECT_THAT(NoticesIn(ReportsOf(0, {kBudget, 100 * kBudget})), IsEmpty());
}

}  // namespace
}  // namespace mantissa::engine
