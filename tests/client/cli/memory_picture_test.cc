#include "client/cli/memory_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "client/cli/text.h"
#include "tests/client/fake_server.h"

namespace mantissa::cli {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Lines = std::vector<std::string>;

std::string Joined(const Lines& lines) { return absl::StrJoin(lines, "\n"); }

// Seven points from 55 to 85 KiB, four columns each; a row is 11 KiB.
TEST(MemoryPicture, StacksKindsByColumnAndMarksThePeak) {
  EXPECT_THAT(
      MemoryPicture(SteppedMemory(3), {.width = 40, .height = 8}),
      ElementsAre(
          "▼ 85.0 KiB, backward of op3", "  88.4 KiB ┤        ++++++++++++",
          "           │    ++++....AAAA....++++++++", "           │++++....AAAAAAAAAAAA........",
          "           │AAAAAAAAAAAAGGGGGGGGGGGGGGGG", "  44.2 KiB ┤OOOOOOOOOOOOOOOOOOOOOOOOOOOO",
          "           │OOOOOOOOOOOOOOOOOOOOOOOOOOOO", "           │MMMMMMMMMMMMMMMMMMMMMMMMMMMM",
          "           │MMMMMMMMMMMMMMMMMMMMMMMMMMMM", "         0 └────────────┴───────────┴───",
          "            forward     backward  update", "            M masters  O optimizer",
          "            G gradients  A activations", "            . workspace  + predicted"));
}

TEST(MemoryPicture, ShowsTheLargestOfOperatorsThatShareAColumn) {
  v1::JobMemory memory = SteppedMemory(500);
  // One operator among hundreds needs twice the rest.
  memory.mutable_measured()->mutable_timeline(100)->mutable_bytes()->set_workspace(20 << 20);
  memory.mutable_measured()->mutable_timeline(100)->mutable_bytes()->set_total(21 << 20);
  *memory.mutable_measured()->mutable_peak() = memory.measured().timeline(100);
  memory.mutable_measured()->set_peak_bytes(21 << 20);
  const Lines lines = MemoryPicture(memory, {.width = 60, .height = 10});
  EXPECT_THAT(lines[0], HasSubstr("▼ 21.0 MiB, forward of op101")) << Joined(lines);
  EXPECT_EQ(std::count(lines[1].begin(), lines[1].end(), '.'), 2) << "of 21.0 and of the column";
  for (const std::string& line : lines) EXPECT_LE(DisplayWidth(line), 60) << line;
}

TEST(MemoryPicture, DrawsABudgetThatIsNear) {
  v1::JobMemory memory = SteppedMemory(3);
  memory.set_budget_bytes(120 << 10);
  Lines lines = MemoryPicture(memory, {.width = 40, .height = 8});
  EXPECT_EQ(lines[1], "    budget ┤----------------------------");
  memory.set_budget_bytes(1000 << 10);
  lines = MemoryPicture(memory, {.width = 40, .height = 8});
  EXPECT_THAT(lines, Each(Not(HasSubstr("budget"))));
}

TEST(MemoryPicture, LeavesOutAPredictionOfOtherOperators) {
  v1::JobMemory memory = SteppedMemory(3);
  memory.mutable_predicted()->mutable_timeline()->RemoveLast();
  EXPECT_THAT(MemoryPicture(memory, {.width = 40, .height = 8}), Each(Not(HasSubstr("+"))));
}

TEST(MemoryPicture, PaintsBlocksWhereColourIsAllowed) {
  const Lines lines = MemoryPicture(SteppedMemory(3), {.width = 40, .height = 8, .colour = true});
  EXPECT_THAT(lines[8], HasSubstr("│\x1b[34m█████")) << "masters at the bottom";
  EXPECT_THAT(lines[8], testing::EndsWith("█\x1b[0m")) << "one colour for a run of blocks";
}

TEST(MemoryPicture, DrawsNothingWithoutATimeline) {
  v1::JobMemory memory = SteppedMemory(3);
  memory.mutable_measured()->clear_timeline();
  EXPECT_TRUE(MemoryPicture(memory, {}).empty());
}

TEST(MemoryPicture, MakesNamesOfOperatorsPrintable) {
  v1::JobMemory memory = SteppedMemory(3);
  memory.mutable_measured()->mutable_peak()->set_operator_("evil\x1b[2J");
  EXPECT_THAT(MemoryPicture(memory, {}), Each(Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace mantissa::cli
