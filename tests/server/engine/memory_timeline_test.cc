#include "server/engine/memory_timeline.h"

#include <memory>

#include "ATen/ATen.h"
#include "gtest/gtest.h"
#include "server/engine/memory_ledger.h"

namespace mantissa::engine {
namespace {

using planner::MemoryKind;
using planner::Task;

at::Tensor Bytes(int64_t bytes, MemoryKind kind) {
  at::Tensor tensor = at::empty({bytes}, at::kByte);
  MemoryLedger::Process().Tag(tensor, kind);
  return tensor;
}

class MemoryTimelineTest : public testing::Test {
 protected:
  MemoryTimelineTest() : before_(timeline_.meter().Live()) {}

  int64_t Of(const planner::MemoryPoint& point, MemoryKind kind) const {
    return point.by_kind.of(kind) - before_.of(kind);
  }

  MemoryTimeline timeline_{at::kCPU};
  const planner::MemoryByKind before_;
};

TEST_F(MemoryTimelineTest, HasThePointOfEachTaskAndThePeakOfAll) {
  timeline_.BeginStep();
  timeline_.BeginTask(Task::Kind::kForward, 0);
  at::Tensor saved = Bytes(1000, MemoryKind::kActivations);
  at::empty({300}, at::kByte);
  timeline_.EndTask();
  timeline_.BeginBackward();
  timeline_.BeginTask(Task::Kind::kBackward, 0);
  at::Tensor gradient = Bytes(400, MemoryKind::kGradients);
  at::empty({900}, at::kByte);
  timeline_.EndTask();
  saved.reset();
  timeline_.BeginTask(Task::Kind::kBackward, planner::kNoNode);
  timeline_.EndTask();
  const planner::MemoryForecast& step = timeline_.EndStep();

  ASSERT_EQ(step.points.size(), 3u);
  EXPECT_EQ(Of(step.points[0], MemoryKind::kActivations), 1000);
  EXPECT_EQ(Of(step.points[0], MemoryKind::kWorkspace), 300);
  EXPECT_EQ(Of(step.points[1], MemoryKind::kGradients), 400);
  EXPECT_EQ(Of(step.points[1], MemoryKind::kWorkspace), 900);
  EXPECT_EQ(step.points[1].kind, Task::Kind::kBackward);
  EXPECT_EQ(step.points[2].node, planner::kNoNode);
  EXPECT_EQ(Of(step.points[2], MemoryKind::kActivations), 0) << "it was released before";
  EXPECT_EQ(step.peak, 1);
  EXPECT_EQ(step.peak_bytes - before_.total(), 2300);
  EXPECT_EQ(step.saved_for_backward_bytes - before_.of(MemoryKind::kActivations) -
                before_.of(MemoryKind::kWeights),
            1000);
}

TEST_F(MemoryTimelineTest, CountsWhatIsMadeBetweenTasksToTheNextOne) {
  timeline_.BeginStep();
  at::empty({700}, at::kByte);
  timeline_.BeginTask(Task::Kind::kForward, 0);
  at::empty({10}, at::kByte);
  timeline_.EndTask();
  at::Tensor between = at::empty({5000}, at::kByte);
  between.reset();
  timeline_.BeginTask(Task::Kind::kForward, 1);
  timeline_.EndTask();
  const planner::MemoryForecast& step = timeline_.EndStep();
  EXPECT_EQ(Of(step.points[0], MemoryKind::kWorkspace), 700);
  EXPECT_EQ(Of(step.points[1], MemoryKind::kWorkspace), 5000);
  EXPECT_EQ(step.peak, 1);
}

TEST_F(MemoryTimelineTest, KeepsNothingOfTheStepBefore) {
  for (const int64_t bytes : {9000, 100}) {
    timeline_.BeginStep();
    const TimelineTask task(&timeline_, Task::Kind::kForward, 0);
    at::empty({bytes}, at::kByte);
  }
  const planner::MemoryForecast& step = timeline_.EndStep();
  EXPECT_EQ(step.points.size(), 1u);
  EXPECT_EQ(step.peak_bytes - before_.total(), 100);
  EXPECT_EQ(step.saved_for_backward_bytes, 0);
}

TEST_F(MemoryTimelineTest, IgnoresTasksOutsideOfSteps) {
  timeline_.BeginStep();
  { const TimelineTask task(&timeline_, Task::Kind::kForward, 0); }
  const int64_t peak = timeline_.EndStep().peak_bytes;
  {
    const TimelineTask evaluation(&timeline_, Task::Kind::kForward, 0);
    at::empty({9000}, at::kByte);
  }
  timeline_.BeginBackward();
  const TimelineTask unmeasured(nullptr, Task::Kind::kForward, 0);
  timeline_.BeginStep();
  { const TimelineTask task(&timeline_, Task::Kind::kForward, 0); }
  EXPECT_EQ(timeline_.EndStep().peak_bytes, peak);
}

}  // namespace
}  // namespace mantissa::engine
