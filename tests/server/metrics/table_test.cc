#include "server/metrics/table.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "gtest/gtest.h"

namespace mantissa::metrics {
namespace {

TEST(MetricTable, NamesFollowPrometheusRules) {
  std::set<std::string> names;
  for (const MetricRow& row : MetricTable()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(absl::StartsWith(row.name, "mantissa_")) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
              std::string::npos)
        << row.name;
    EXPECT_EQ(absl::EndsWith(row.name, "_total"), row.kind == Kind::kCounter) << row.name;
    EXPECT_FALSE(row.help.empty()) << row.name;
  }
}

TEST(MetricTable, UnitsAreBaseUnitsAndStandInTheName) {
  for (const MetricRow& row : MetricTable()) {
    if (row.unit == "seconds" || row.unit == "bytes") {
      EXPECT_TRUE(absl::StrContains(row.name, absl::StrCat("_", row.unit))) << row.name;
    }
    EXPECT_FALSE(absl::StrContains(row.name, "_ms") || absl::StrContains(row.name, "_milli"))
        << row.name;
  }
}

TEST(MetricTable, RowsStandInTheOrderOfTheEnum) {
  for (const MetricRow& row : MetricTable()) EXPECT_EQ(&RowOf(row.metric), &row) << row.name;
}

TEST(MetricTable, HistogramsHaveAscendingBuckets) {
  for (const MetricRow& row : MetricTable()) {
    EXPECT_EQ(row.buckets.empty(), row.kind != Kind::kHistogram) << row.name;
    for (size_t i = 1; i < row.buckets.size(); ++i) {
      EXPECT_LT(row.buckets[i - 1], row.buckets[i]) << row.name;
    }
  }
}

TEST(MetricTable, DocsMetricsIsWhatTheTableGenerates) {
  const absl::StatusOr<std::string> text = RealFileSystem().Read("docs/metrics.md");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, MetricsMarkdown())
      << "run: bazel run //server/metrics:print_table > docs/metrics.md";
}

}  // namespace
}  // namespace mantissa::metrics
