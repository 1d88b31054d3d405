#include "planner/graph/freeze.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MatchesPattern, StarsStandForAnyTextAndQuestionMarksForOneCharacter) {
  EXPECT_TRUE(MatchesPattern("encoder.*", "encoder.layer.0.weight"));
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("*.weight", "a.weight.weight"));
  EXPECT_TRUE(MatchesPattern("layer.?.bias", "layer.7.bias"));
  EXPECT_TRUE(MatchesPattern("a*b*c", "axxbxxbxc"));
  EXPECT_FALSE(MatchesPattern("layer.?.bias", "layer.17.bias"));
  EXPECT_FALSE(MatchesPattern("encoder", "encoder.weight"));
  EXPECT_FALSE(MatchesPattern("a*b", "axxbx"));
  EXPECT_FALSE(MatchesPattern("", "a"));
  EXPECT_TRUE(MatchesPattern("", ""));
}

TEST(MatchesPattern, AnswersManyStarsInNoTime) {
  const std::string text(5000, 'a');
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesPattern(pattern + "*b", text));
  EXPECT_TRUE(MatchesPattern(pattern + "*", text));
}

Graph Parameters() {
  Graph graph("model");
  for (const char* name : {"body.weight", "body.bias", "head.weight"}) {
    graph.AddParameter(name, {2});
  }
  return graph;
}

std::vector<std::string> FrozenOf(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId parameter : graph.parameters()) {
    if (graph.value(parameter).frozen) names.push_back(graph.value(parameter).name);
  }
  return names;
}

TEST(FreezeParameters, FreezesWhatAnyPatternMatches) {
  Graph graph = Parameters();
  ASSERT_TRUE(FreezeParameters({"*.bias", "body.weigh?"}, graph).ok());
  EXPECT_THAT(FrozenOf(graph), ElementsAre("body.weight", "body.bias"));
}

TEST(FreezeParameters, RefusesAPatternThatMatchesNothingAndNamesSomeThatAreThere) {
  Graph graph = Parameters();
  const absl::Status status = FreezeParameters({"body.*", "tail.*"}, graph);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("freeze is \"tail.*\""));
  EXPECT_THAT(std::string(status.message()), HasSubstr("body.weight, body.bias, head.weight"));
}

TEST(FreezeParameters, RefusesToLeaveNothingToTrain) {
  Graph graph = Parameters();
  const absl::Status status = FreezeParameters({"*"}, graph);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("leave a parameter to train"));
}

}  // namespace
}  // namespace mantissa::planner
