#include "absl/time/time.h"
#include "base/clock.h"
#include "gtest/gtest.h"
#include "tests/bench/planner/synthetic_graph.h"

namespace mantissa::planner {
namespace {

TEST(PlanSpeed, TakesUnderASecondForAHundredThousandOperators) {
  const Graph graph = SyntheticGraph(100'000);
  ASSERT_GE(graph.nodes().size(), 100'000);
  const absl::Duration start = RealClock().Monotonic();
  EXPECT_GT(PlanBits(graph), 0);
  EXPECT_LT(RealClock().Monotonic() - start, absl::Seconds(1));
}

}  // namespace
}  // namespace mantissa::planner
