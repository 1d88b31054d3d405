#include "client/cli/live_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/job_text.h"
#include "client/cli/text.h"
#include "tests/client/fake_server.h"

namespace mantissa::cli {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

// A job and all its events but the last `left_out`.
JobView ViewOf(int steps, v1::JobState end, int left_out = 0) {
  const std::vector<v1::JobEvent> events = TrainingEvents(steps, end);
  v1::Job job = TrainedJob("job-1", events);
  job.clear_start_time();
  job.clear_end_time();
  JobView view(job);
  for (size_t i = 0; i + left_out < events.size(); ++i) view.Apply(events[i]);
  return view;
}

absl::Time LastTime(int steps, v1::JobState end) {
  return TimeOf(TrainingEvents(steps, end).back().time());
}

std::string Text(const JobView& view, TerminalSize size, absl::Time now) {
  return absl::StrJoin(RenderLive(view, size, now), "\n");
}

TEST(JobViewTest, CollectsWhatEventsTell) {
  const JobView view = ViewOf(6, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(view.state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(view.last_step().step(), 6);
  EXPECT_EQ(view.skipped(), 1);
  EXPECT_EQ(view.promoted(), 1);
  EXPECT_EQ(view.losses().values().size(), 6u);
  EXPECT_DOUBLE_EQ(view.evaluation()->accuracy(), 0.9521);
  EXPECT_THAT(absl::StrJoin(view.remarks(), "\n"),
              AllOf(HasSubstr("promoted layer1.0.conv1 (activation, overflow 1.90%) at step 2"),
                    HasSubstr("loss scale 65536 -> 32768 at step 3")));
}

TEST(JobViewTest, CountsStepsDoneAgainAfterACheckpointOnce) {
  const std::vector<v1::JobEvent> events = TrainingEvents(6, v1::JOB_STATE_RUNNING);
  JobView view(TrainedJob("job-1", events));
  for (const v1::JobEvent& event : events) view.Apply(event);
  // Once more from the first step on, and step 2 is skipped and promotes as before.
  for (const v1::JobEvent& event : events) {
    view.Apply(event);
    if (event.has_step_done() && event.step_done().step() == 1) {
      EXPECT_EQ(view.skipped(), 0);
      EXPECT_EQ(view.promoted(), 0);
    }
  }
  EXPECT_EQ(view.skipped(), 1);
  EXPECT_EQ(view.promoted(), 1);
}

TEST(JobViewTest, TellsSpeedAndTimeLeftFromStepTimes) {
  // Steps are a second apart, but for the promotion after the second; 2 of 6 are left.
  const JobView view = ViewOf(6, v1::JOB_STATE_RUNNING, /*left_out=*/3);
  ASSERT_EQ(view.last_step().step(), 4);
  EXPECT_DOUBLE_EQ(*view.StepsPerSecond(), 3.0 / 4);
  EXPECT_DOUBLE_EQ(*view.SamplesPerSecond(), 48);
  const absl::Time last = TimeOf(TrainingEvents(6, v1::JOB_STATE_RUNNING)[9].time());
  EXPECT_NEAR(absl::ToDoubleSeconds(*view.TimeLeft(last)), 2 / 0.75, 1e-6);
  // It runs down between steps, never below nothing.
  EXPECT_NEAR(absl::ToDoubleSeconds(*view.TimeLeft(last + absl::Seconds(1))), 2 / 0.75 - 1, 1e-6);
  EXPECT_EQ(*view.TimeLeft(last + absl::Hours(1)), absl::ZeroDuration());
}

TEST(JobViewTest, StopsItsTimeWhenTheJobEnds) {
  const JobView view = ViewOf(6, v1::JOB_STATE_SUCCEEDED);
  const absl::Time end = LastTime(6, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(view.Elapsed(end), view.Elapsed(end + absl::Hours(5)));
  EXPECT_EQ(view.Progress(), 1);
  EXPECT_FALSE(view.TimeLeft(end).has_value());
}

TEST(LiveViewTest, ShowsProgressNumbersChartsAndRemarks) {
  const std::string text =
      Text(ViewOf(40, v1::JOB_STATE_RUNNING, /*left_out=*/20), {.columns = 100, .rows = 40},
           LastTime(40, v1::JOB_STATE_RUNNING) - absl::Seconds(20));
  EXPECT_THAT(text, HasSubstr("job-1  RUNNING"));
  EXPECT_THAT(text, HasSubstr("builtin:resnet18 on digits, demotion 0.5, batch 64"));
  EXPECT_THAT(text, HasSubstr("step 21/40"));
  EXPECT_THAT(text, HasSubstr("52%"));
  EXPECT_THAT(text, HasSubstr("ETA "));
  EXPECT_THAT(text, HasSubstr("skipped 1  low 49.87%  promoted 1"));
  EXPECT_THAT(text, HasSubstr("promoted layer1.0.conv1"));
  EXPECT_THAT(text, HasSubstr("█"));
  EXPECT_THAT(text, HasSubstr("Ctrl-C leaves the job running."));
}

TEST(LiveViewTest, FitsIntoWindowsOfAnySize) {
  const JobView view = ViewOf(40, v1::JOB_STATE_RUNNING);
  const absl::Time now = LastTime(40, v1::JOB_STATE_RUNNING);
  for (int columns : {21, 30, 59, 60, 61, 80, 200}) {
    for (int rows : {8, 12, 20, 60}) {
      for (const std::string& line : RenderLive(view, {columns, rows}, now)) {
        EXPECT_LT(DisplayWidth(line), columns) << line;
      }
      EXPECT_THAT(RenderLive(view, {columns, rows}, now), SizeIs(testing::Lt(rows)));
    }
  }
}

TEST(LiveViewTest, BreaksNumbersOverLinesInNarrowWindow) {
  const std::string text = Text(ViewOf(40, v1::JOB_STATE_RUNNING), {.columns = 50, .rows = 40},
                                LastTime(40, v1::JOB_STATE_RUNNING));
  EXPECT_THAT(text, HasSubstr("loss scale 32768  skipped 1\nlow 49.87%  promoted 1"));
}

TEST(LiveViewTest, LeavesChartsOutOfLowWindow) {
  const JobView view = ViewOf(40, v1::JOB_STATE_RUNNING);
  const absl::Time now = LastTime(40, v1::JOB_STATE_RUNNING);
  EXPECT_THAT(Text(view, {80, 30}, now), HasSubstr("\nloss   "));
  EXPECT_THAT(Text(view, {80, 11}, now), Not(HasSubstr("\nloss   ")));
}

TEST(LiveViewTest, NeverPrintsNamesOfUsersRaw) {
  std::vector<v1::JobEvent> events = TrainingEvents(2, v1::JOB_STATE_RUNNING);
  v1::Job job = TrainedJob("job-1\x1b[2J", events);
  job.mutable_spec()->set_name("evil\x1b]0;title\x07");
  job.mutable_spec()->set_dataset("a\rb");
  JobView view(job);
  v1::JobEvent notice;
  notice.mutable_notice()->set_message("look\n\x1b[31mred");
  view.Apply(notice);
  const std::vector<std::string> lines = RenderLive(view, {100, 40}, absl::UnixEpoch());
  EXPECT_THAT(lines, Each(Not(AnyOf(HasSubstr("\x1b"), HasSubstr("\r"), HasSubstr("\n")))));
  EXPECT_THAT(absl::StrJoin(lines, "\n"), HasSubstr("evil\\x1b]0;title\\x07"));
}

TEST(ProgressBarTest, FillsInProportionToShare) {
  EXPECT_EQ(ProgressBar(0, 6), "[░░░░]");
  EXPECT_EQ(ProgressBar(0.5, 6), "[██░░]");
  EXPECT_EQ(ProgressBar(7, 6), "[████]");
}

TEST(ScreenTest, ReplacesExactlyTheLinesItDrew) {
  Screen screen;
  EXPECT_EQ(screen.Redraw({"one", "two"}, 80, false), "\r\x1b[Jone\r\ntwo\r\n");
  EXPECT_EQ(screen.Redraw({"three"}, 80, false), "\x1b[2A\r\x1b[Jthree\r\n");
  EXPECT_EQ(screen.Redraw({}, 80, false), "\x1b[1A\r\x1b[J");
}

TEST(ScreenTest, CountsLinesThatNarrowerWindowWraps) {
  Screen screen;
  screen.Redraw({std::string(50, 'x'), "y"}, 80, false);
  // 50 columns take three lines of 20.
  EXPECT_TRUE(absl::StartsWith(screen.Redraw({"z"}, 20, false), "\x1b[4A"));
}

TEST(ScreenTest, IsBoldOnlyWhereColourIsWanted) {
  EXPECT_THAT(Screen().Redraw({"title"}, 80, true), HasSubstr("\x1b[1mtitle\x1b[0m"));
  EXPECT_THAT(Screen().Redraw({"title"}, 80, false), Not(HasSubstr("\x1b[1m")));
}

}  // namespace
}  // namespace mantissa::cli
