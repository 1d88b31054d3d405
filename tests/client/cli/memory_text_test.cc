#include "client/cli/memory_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mantissa::cli {
namespace {

using testing::Contains;
using testing::Pair;

v1::StepMemory Memory(int64_t peak) {
  v1::StepMemory memory;
  memory.set_peak_bytes(peak);
  memory.set_saved_for_backward_bytes(peak / 2);
  memory.mutable_peak()->set_phase(v1::STEP_PHASE_BACKWARD);
  memory.mutable_peak()->set_operator_("conv1");
  memory.mutable_peak()->mutable_bytes()->set_masters(peak / 4);
  memory.mutable_peak()->mutable_bytes()->set_activations(peak - peak / 4);
  memory.mutable_peak()->mutable_bytes()->set_total(peak);
  return memory;
}

TEST(MemoryTextTest, NamesEveryPhaseOfAStep) {
  v1::MemoryPoint point;
  EXPECT_EQ(PointText(point), "");
  point.set_operator_("conv1");
  point.set_phase(v1::STEP_PHASE_FORWARD);
  EXPECT_EQ(PointText(point), "forward of conv1");
  point.set_phase(v1::STEP_PHASE_RECOMPUTE);
  EXPECT_EQ(PointText(point), "recomputing conv1");
  point.set_phase(v1::STEP_PHASE_BACKWARD);
  EXPECT_EQ(PointText(point), "backward of conv1");
  point.set_phase(v1::STEP_PHASE_UPDATE);
  EXPECT_EQ(PointText(point), "update");
}

TEST(MemoryTextTest, ListsKindsThatAreThereAndTheirTotal) {
  const std::string text = KindTable(Memory(4096).peak().bytes());
  EXPECT_EQ(text,
            "KIND           BYTES    SHARE\n"
            "masters      1.0 KiB   25.00%\n"
            "activations  3.0 KiB   75.00%\n"
            "total        4.0 KiB  100.00%\n");
}

TEST(MemoryTextTest, SetsThePeakAgainstEachBaseline) {
  v1::Plan plan;
  EXPECT_EQ(BaselineTable(100, plan.baselines()), "");
  v1::MemoryBaseline* baseline = plan.add_baselines();
  baseline->set_name("fp32");
  baseline->set_peak_bytes(4096);
  baseline = plan.add_baselines();
  baseline->set_name("operator");
  baseline->set_peak_bytes(512);
  baseline->set_measured(true);
  EXPECT_EQ(BaselineTable(1024, plan.baselines()),
            "AGAINST      PEAK  THIS TAKES    SAVED\n"
            "fp32      4.0 KiB      25.00%  3.0 KiB  predicted\n"
            "operator    512 B     200.00%   -512 B  measured\n");
}

TEST(MemoryTextTest, TellsBudgetAndRecomputedOperatorsOfAPlan) {
  v1::Plan plan;
  EXPECT_TRUE(PlannedMemoryFacts(plan).empty());
  *plan.mutable_memory() = Memory(2048);
  EXPECT_THAT(PlannedMemoryFacts(plan), Contains(Pair("budget", "")));
  plan.mutable_precision()->set_memory_bytes(4096);
  for (int i = 1; i <= 7; ++i) plan.add_recompute("bn" + std::to_string(i));
  const MemoryFacts facts = PlannedMemoryFacts(plan);
  EXPECT_THAT(facts, Contains(Pair("predicted peak", "2.0 KiB, backward of conv1")));
  EXPECT_THAT(facts, Contains(Pair("budget", "4.0 KiB, 50.00% of it taken")));
  EXPECT_THAT(facts, Contains(Pair("saved for backward", "1.0 KiB")));
  EXPECT_THAT(facts,
              Contains(Pair("recomputed", "7 operators: bn1, bn2, bn3, bn4, bn5, bn6, ...")));
}

TEST(MemoryTextTest, SetsMeasuredBesidePredictedMemory) {
  v1::JobMemory memory;
  EXPECT_TRUE(MeasuredMemoryFacts(memory).empty());
  *memory.mutable_measured() = Memory(2048);
  *memory.mutable_predicted() = Memory(1024);
  memory.set_budget_bytes(4096);
  const MemoryFacts facts = MeasuredMemoryFacts(memory);
  EXPECT_THAT(facts, Contains(Pair("peak memory", "2.0 KiB, backward of conv1")));
  EXPECT_THAT(facts, Contains(Pair("predicted", "1.0 KiB")));
  EXPECT_THAT(facts, Contains(Pair("budget", "4.0 KiB, 50.00% of it taken")));
}

}  // namespace
}  // namespace mantissa::cli
