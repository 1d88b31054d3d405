#include "client/cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/commands.h"

namespace mantissa::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Arguments Parsed(const std::vector<std::string>& words) {
  const auto arguments = Parse(Commands(), words);
  EXPECT_TRUE(arguments.ok()) << arguments.status();
  return arguments.ok() ? *arguments : Arguments();
}

std::string Error(const std::vector<std::string>& words) {
  const auto arguments = Parse(Commands(), words);
  EXPECT_TRUE(absl::IsInvalidArgument(arguments.status()));
  return std::string(arguments.status().message());
}

TEST(ParseTest, TakesFlagsBeforeAndAfterCommand) {
  const Arguments arguments =
      Parsed({"--server", "a:1", "dataset", "push", "digits", "--output=json", "d.npz"});
  EXPECT_EQ(arguments.command->name, "dataset push");
  EXPECT_EQ(arguments.Get("--server"), "a:1");
  EXPECT_EQ(arguments.Get("--output"), "json");
  EXPECT_THAT(arguments.positionals, ElementsAre("digits", "d.npz"));
}

TEST(ParseTest, LastValueOfFlagCountsButMapsCollect) {
  const Arguments arguments =
      Parsed({"submit", "--epochs", "1", "--epochs=2", "-l", "a=1", "--labels", "b=2"});
  EXPECT_EQ(arguments.Get("--epochs"), "2");
  EXPECT_THAT(arguments.flags.at("--labels"), ElementsAre("a=1", "b=2"));
}

TEST(ParseTest, TakesNegativeNumbersAndDashAsValues) {
  EXPECT_EQ(Parsed({"submit", "--lr", "-1"}).Get("--lr"), "-1");
  EXPECT_EQ(Parsed({"submit", "-f", "-"}).Get("--file"), "-");
}

TEST(ParseTest, TakesJobsThatAreCalledLikeCommands) {
  EXPECT_THAT(Parsed({"get", "list"}).positionals, ElementsAre("list"));
  EXPECT_THAT(Parsed({"dataset", "rm", "push"}).positionals, ElementsAre("push"));
}

TEST(ParseTest, FollowsShortFlagOfItsOwnCommand) {
  EXPECT_TRUE(Parsed({"logs", "-f", "job-1"}).Has("--follow"));
  EXPECT_EQ(Parsed({"submit", "-f", "job.json"}).Get("--file"), "job.json");
}

TEST(ParseTest, SuggestsWhatIsMostAlike) {
  EXPECT_THAT(Error({"plan", "--polcy", "none"}), HasSubstr("Is --policy meant?"));
  EXPECT_THAT(Error({"sumbit"}), HasSubstr("Is submit meant?"));
  EXPECT_THAT(Error({"dataset", "pusch"}), HasSubstr("Is push meant?"));
  EXPECT_THAT(Error({"plan", "--polcy"}), HasSubstr("See `mantissa plan --help`"));
}

TEST(ParseTest, NamesArgumentThatIsMissingOrTooMuch) {
  EXPECT_THAT(Error({"fetch", "job-1"}), HasSubstr("ARTIFACT is missing"));
  EXPECT_THAT(Error({"get", "a", "b"}), HasSubstr("`get` takes 1"));
  EXPECT_THAT(Error({"submit", "--epochs"}), HasSubstr("--epochs"));
}

TEST(ParseTest, ChecksChoicesOfFlags) {
  EXPECT_THAT(Error({"plan", "--policy", "best"}), HasSubstr("allowed: none, demotion"));
  EXPECT_THAT(Error({"list", "-o", "xml"}), HasSubstr("allowed: table, json"));
}

TEST(ParseTest, AsksForNothingElseWhereHelpIsGiven) {
  EXPECT_TRUE(Parsed({"fetch", "--help"}).Has("--help"));
  EXPECT_TRUE(Parsed({"-h", "fetch"}).Has("--help"));
  EXPECT_EQ(Parsed({"dataset", "--help"}).group, "dataset");
}

}  // namespace
}  // namespace mantissa::cli
