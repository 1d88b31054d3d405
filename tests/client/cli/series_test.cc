#include "client/cli/series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "client/cli/text.h"

namespace mantissa::cli {
namespace {

using testing::ElementsAre;

TEST(SeriesTest, KeepsLongCurveInLittleMemory) {
  Series series;
  for (int i = 0; i < 100'000; ++i) series.Add(i);
  EXPECT_LE(series.values().size(), 512u);
  EXPECT_GE(series.values().size(), 128u);
  EXPECT_TRUE(std::is_sorted(series.values().begin(), series.values().end()));
  // The first point is the mean of those that became it.
  EXPECT_LT(series.values().front(), 1000);
}

TEST(SeriesTest, LeavesValuesOutThatAreNotFinite) {
  Series series;
  series.Add(1);
  series.Add(std::numeric_limits<double>::quiet_NaN());
  series.Add(std::numeric_limits<double>::infinity());
  series.Add(2);
  EXPECT_THAT(series.values(), ElementsAre(1, 2));
}

TEST(ChartTest, DrawsRisingCurveInEighths) {
  EXPECT_THAT(Chart({0, 1, 2, 3}, {.width = 13, .height = 2}),
              ElementsAre("       3   ▃█", "       0 ▁▆██"));
}

TEST(ChartTest, DrawsFlatCurveAtItsBottom) {
  EXPECT_THAT(Chart({5, 5}, {.width = 13, .height = 2}),
              ElementsAre("       5     ", "       5 ▁▁▁▁"));
}

TEST(ChartTest, LabelsAccuraciesInPercent) {
  EXPECT_THAT(Chart({0.5, 0.952}, {.width = 13, .height = 2, .percent = true}).front(),
              testing::StartsWith("   95.2% "));
}

TEST(ChartTest, HasAskedSizeForAnyNumberOfValues) {
  for (int count : {0, 1, 7, 511}) {
    const std::vector<std::string> lines =
        Chart(std::vector<double>(count, 1.5), {.width = 40, .height = 6});
    EXPECT_EQ(lines.size(), 6u);
    for (const std::string& line : lines) EXPECT_EQ(DisplayWidth(line), 40);
  }
}

}  // namespace
}  // namespace mantissa::cli
