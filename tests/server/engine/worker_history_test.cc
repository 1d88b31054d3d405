#include "server/engine/worker_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"

namespace mantissa::engine {
namespace {

using ::nlohmann::json;

class WorkerHistoryTest : public testing::Test {
 protected:
  std::string Path(const char* name) { return JoinPath(folder_.path(), name); }
  std::string Content(const char* name) { return *RealFileSystem().Read(Path(name)); }
  History Open(const char* name) {
    absl::StatusOr<History> history = History::Open(RealFileSystem(), Path(name));
    MANTISSA_CHECK_OK(history);
    return *std::move(history);
  }

  TempFolder folder_;
};

TEST_F(WorkerHistoryTest, StepIsOneLineWithItsPromotions) {
  History history = Open("h");
  StepRecord record{.step = 3, .epoch = 1, .loss = 0.5, .learning_rate = 0.1, .loss_scale = 1024};
  record.peak_memory_bytes = 4096;
  record.promoted = {{planner::TensorKind::kActivation, "conv1", 0.25},
                     {planner::TensorKind::kParameter, "bn1.weight", 0.5}};
  ASSERT_TRUE(history.Add(record).ok());
  const json line = json::parse(Content("h"));
  EXPECT_EQ(line["step"], 3);
  EXPECT_EQ(line["lr"], 0.1);
  EXPECT_EQ(line["peak_memory_bytes"], 4096);
  EXPECT_EQ(line["promoted"], json({"v conv1", "theta bn1.weight"}));
  EXPECT_EQ(line["promoted_ratios"], json({0.25, 0.5}));
  EXPECT_FALSE(line.contains("evaluation"));
  EXPECT_EQ(history.promotions().size(), 2u);
}

TEST_F(WorkerHistoryTest, NumbersThatAreNotFiniteAreNull) {
  History history = Open("h");
  StepRecord record{.step = 1,
                    .loss = std::numeric_limits<double>::quiet_NaN(),
                    .loss_unrounded = std::numeric_limits<double>::infinity(),
                    .skipped = true};
  ASSERT_TRUE(history.Add(record).ok());
  const json line = json::parse(Content("h"));
  EXPECT_TRUE(line["loss"].is_null());
  EXPECT_TRUE(line["loss_unrounded"].is_null());
  EXPECT_EQ(history.skipped_steps(), 1);
}

TEST_F(WorkerHistoryTest, SecondAttemptTakesOverWhatItsCheckpointHas) {
  std::string earlier;
  {
    History history = Open("first");
    for (int step = 1; step <= 5; ++step) {
      StepRecord record{.step = step, .skipped = step == 2};
      if (step == 3) record.promoted = {{planner::TensorKind::kActivation, "relu", 0.5}};
      if (step == 5) record.promoted = {{planner::TensorKind::kActivation, "late", 0.5}};
      ASSERT_TRUE(history.Add(record).ok());
      if (step == 3) {
        ASSERT_TRUE(history.Add(EvaluationRecord{.step = 3}).ok());
      }
    }
    earlier = Content("first") + "{\"step\": 6, \"ep";  // cut short by a kill
  }
  History history = Open("second");
  ASSERT_TRUE(history.ContinueFrom(earlier, 4).ok());
  EXPECT_EQ(history.steps(), 3);
  EXPECT_EQ(history.skipped_steps(), 1);
  ASSERT_EQ(history.promotions().size(), 1u);
  EXPECT_EQ(history.promotions()[0].tensor, "v relu");
  EXPECT_EQ(history.promotions()[0].step, 3);
  EXPECT_EQ(history.promotions()[0].overflow_ratio, 0.5);
  ASSERT_TRUE(history.Add(StepRecord{.step = 4}).ok());
  // The same bytes as the first attempt's: three steps and an evaluation, then its own.
  const std::string lines = Content("second");
  EXPECT_EQ(lines.substr(0, earlier.find("{\"step\":4")),
            earlier.substr(0, earlier.find("{\"step\":4")));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 5);
}

TEST_F(WorkerHistoryTest, RubbishInAnEarlierHistoryIsLeftOut) {
  History history = Open("h");
  ASSERT_TRUE(history.ContinueFrom("[]\nnull\n{\"step\":\"x\"}\n\xff\xfe\n{\"step\":1}\n", 9).ok());
  EXPECT_EQ(Content("h"), "{\"step\":1}\n");
  EXPECT_EQ(history.steps(), 1);
}

}  // namespace
}  // namespace mantissa::engine
