// The engine against recorded trainings of the program published with the paper, and the judges
// against recordings that were changed.

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "ATen/Context.h"
#include "ATen/Parallel.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/file.h"
#include "base/status.h"
#include "base/temp_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/reference/judge.h"
#include "tests/reference/micro.h"
#include "tests/reference/python_json.h"
#include "tests/reference/recorded_run.h"
#include "tests/reference/replay.h"

namespace mantissa::reference {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ReferenceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    at::set_num_threads(1);
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
    at::globalContext().setDeterministicFillUninitializedMemory(false);
    auto recording = OpenRecording("tests/reference/testdata");
    MANTISSA_CHECK_OK(recording);
    recording_ = new Recording(*std::move(recording));
  }

  static std::string PathOf(absl::string_view name) {
    for (const auto* paths : {&recording_->runs, &recording_->micro}) {
      for (const std::string& path : *paths) {
        if (absl::StrContains(path, name)) return path;
      }
    }
    return "";
  }

  static RecordedRun Run(absl::string_view name) {
    auto run = ReadRun(PathOf(name));
    MANTISSA_CHECK_OK(run);
    return *std::move(run);
  }

  // Replays are kept, as each takes seconds.
  static const Replay& Replayed(const RecordedRun& run) {
    static auto* const replays = new std::map<std::string, Replay>;
    const auto kept = replays->find(run.name);
    if (kept != replays->end()) return kept->second;
    auto replay = ReplayRun(*recording_, run);
    MANTISSA_CHECK_OK(replay);
    return (*replays)[run.name] = *std::move(replay);
  }

  static std::string FailuresOf(const RecordedRun& run, const Replay& replay) {
    return absl::StrJoin(Judge(run, replay, recording_->noise).failures, "\n");
  }

  static Recording* recording_;
};

Recording* ReferenceTest::recording_ = nullptr;

TEST_F(ReferenceTest, EveryRecordedRunIsReplayedWithinItsTolerances) {
  ASSERT_THAT(recording_->runs, SizeIs(4));
  for (const std::string& path : recording_->runs) {
    const RecordedRun run = Run(path);
    EXPECT_EQ(FailuresOf(run, Replayed(run)), "") << path;
  }
}

TEST_F(ReferenceTest, LowRunIsEqualInEveryStepWithEqualNormsAndCounts) {
  const RecordedRun run = Run("resnet18-low");
  const Replay& replay = Replayed(run);
  ASSERT_EQ(run.steps.size(), replay.steps.size());
  for (size_t i = 0; i < run.steps.size(); ++i) {
    EXPECT_EQ(run.steps[i].loss_before_rounding, replay.steps[i].loss_before_rounding) << i;
    EXPECT_EQ(run.steps[i].loss, replay.steps[i].loss) << i;
    EXPECT_EQ(run.steps[i].correct, replay.steps[i].correct) << i;
    EXPECT_EQ(run.steps[i].bits, replay.steps[i].bits) << i;
    EXPECT_NEAR(replay.steps[i].parameter_norm / run.steps[i].parameter_norm, 1, 1e-7) << i;
    EXPECT_NEAR(replay.steps[i].gradient_norm / run.steps[i].gradient_norm, 1, 1e-5) << i;
  }
}

TEST_F(ReferenceTest, PromotionCascadesAnOperatorAStepAsRecorded) {
  const RecordedRun run = Run("squeezenet-low_p01");
  const Replay& replay = Replayed(run);
  ASSERT_FALSE(run.steps[0].promoted.empty());
  for (size_t i = 0; i < run.steps.size(); ++i) {
    EXPECT_EQ(run.steps[i].promoted, replay.steps[i].promoted) << "step " << i + 1;
  }
}

TEST_F(ReferenceTest, MicroCaseAgreesCodeByCodeInEveryOperator) {
  ASSERT_THAT(recording_->micro, SizeIs(1));
  const auto verdict = JudgeMicro(*recording_, Run(recording_->micro[0]));
  MANTISSA_CHECK_OK(verdict);
  EXPECT_EQ(absl::StrJoin(verdict->failures, "\n"), "");
}

TEST_F(ReferenceTest, JudgeFindsWhateverIsChangedInALowRun) {
  const RecordedRun run = Run("resnet18-low");
  const Replay& replay = Replayed(run);
  ASSERT_EQ(FailuresOf(run, replay), "");

  RecordedRun changed = run;
  changed.steps[2].loss_before_rounding += 1e-6;
  EXPECT_THAT(FailuresOf(changed, replay), HasSubstr("loss of step 3"));
  changed = run;
  changed.steps[6].scale *= 2;
  EXPECT_THAT(FailuresOf(changed, replay), HasSubstr("scale or skip differs in steps 7"));
  changed = run;
  changed.steps[1].promoted = {"v conv1"};
  EXPECT_THAT(FailuresOf(changed, replay), HasSubstr("v conv1"));
  changed = run;
  changed.first_tensors["v layer1.0.bn1"].norm *= 1 + 1e-9;
  EXPECT_THAT(FailuresOf(changed, replay), HasSubstr("norm of v layer1.0.bn1"));
  changed = run;
  changed.first_tensors["dv conv1@bn1.0"].overflow += 1;
  EXPECT_THAT(FailuresOf(changed, replay), HasSubstr("overflows of a dv"));
  changed = run;
  changed.first_tensors["dtheta linear.weight"].norm *= 1.001;
  EXPECT_THAT(FailuresOf(changed, replay), HasSubstr("norm of dtheta linear.weight"));
  changed = run;
  changed.operators[3].value_format = "690";
  EXPECT_FALSE(PlanDifferences(changed, *PlanOf(run)).empty());
}

TEST_F(ReferenceTest, JudgeFindsALargeDifferenceInAFullPrecisionRun) {
  const RecordedRun run = Run("squeezenet-fp32");
  const Replay& replay = Replayed(run);
  ASSERT_EQ(FailuresOf(run, replay), "");
  RecordedRun changed = run;
  changed.steps[0].loss_before_rounding += 1e-5;
  EXPECT_THAT(FailuresOf(changed, replay), HasSubstr("loss of step 1"));
  changed = run;
  for (size_t i = 4; i < 8; ++i) changed.steps[i].loss_before_rounding += 1;
  EXPECT_THAT(FailuresOf(changed, replay), HasSubstr("mean loss of the last epoch"));
}

TEST_F(ReferenceTest, MicroCaseFindsAReferenceThatRoundedOtherwise) {
  RecordedRun run = Run(recording_->micro[0]);
  // A plan that puts one activation into another format gives other codes.
  run.policy = "as listed";
  for (RecordedOperator& op : run.operators) {
    if (op.name == "fire2.bn2") op.value_format = "520";
  }
  const auto verdict = JudgeMicro(*recording_, run);
  MANTISSA_CHECK_OK(verdict);
  EXPECT_THAT(absl::StrJoin(verdict->failures, "\n"), HasSubstr("v/fire2.bn2"));
}

TEST(PythonJson, ReadsInfinityAndNanOutsideOfStringsOnly) {
  TempFolder folder;
  const std::string path = JoinPath(folder.path(), "a.json");
  MANTISSA_CHECK_OK(RealFileSystem().WriteAtomically(
      path, R"({"a": -Infinity, "b": [NaN, Infinity], "c": "NaN \" Infinity"})"));
  const auto json = ReadPythonJson(path);
  MANTISSA_CHECK_OK(json);
  EXPECT_EQ(Number((*json)["a"]), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(Number((*json)["b"][0])));
  EXPECT_EQ(Number((*json)["b"][1]), HUGE_VAL);
  EXPECT_EQ((*json)["c"].get<std::string>(), "NaN \" Infinity");
}

}  // namespace
}  // namespace mantissa::reference
