#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/policies/registry.h"

namespace mantissa::planner {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A chain of linear layers without bias whose v have these features; group i holds 2 * features[i]
// elements a sample and the weight from it to the next, which is the same small size throughout.
Graph Chain(const std::vector<int64_t>& features) {
  Graph graph("chain");
  ValueId x = graph.AddInput("input", DType::kFloat32, {Dim::Batch(), features[0]});
  for (size_t i = 1; i < features.size(); ++i) {
    const ValueId weight = graph.AddParameter(absl::StrCat("linear", i, ".weight"), {1});
    x = graph.AddNode(
        {.name = absl::StrCat("linear", i),
         .op = "aten::linear",
         .args = {{"input", ValueRef{x}}, {"weight", ValueRef{weight}}, {"bias", {}}}},
        DType::kFloat32, {Dim::Batch(), features[i]});
  }
  return graph;
}

std::vector<int> LowGroups(const Graph& graph, const PolicyOptions& options) {
  const TensorTable tensors(graph);
  const std::unique_ptr<Policy> policy = MakePolicy(options).value();
  const Assignment assignment = policy->Assign(graph, tensors, /*batch_size=*/100).value();
  std::vector<int> low;
  for (int group = 0; group < tensors.group_count(); ++group) {
    if (assignment.group_low[group]) low.push_back(group);
  }
  return low;
}

TEST(Demotion, TakesTheLargestGroupFirstAndTheSmallerIdOnTies) {
  const Graph graph = Chain({10, 30, 20, 30, 20});
  EXPECT_THAT(LowGroups(graph, {.policy = "demotion", .low_ratio = 0.2}), ElementsAre(1));
  EXPECT_THAT(LowGroups(graph, {.policy = "demotion", .low_ratio = 0.5}), ElementsAre(1, 3));
  EXPECT_THAT(LowGroups(graph, {.policy = "demotion", .low_ratio = 0.6}), ElementsAre(1, 2, 3));
}

TEST(Demotion, MakesNothingLowAtZeroAndEverythingAtOne) {
  const Graph graph = Chain({10, 30, 20});
  EXPECT_THAT(LowGroups(graph, {.policy = "demotion", .low_ratio = 0}), ElementsAre());
  EXPECT_THAT(LowGroups(graph, {.policy = "demotion", .low_ratio = 1}), ElementsAre(0, 1, 2));
}

TEST(Demotion, StopsAtTheFirstGroupThatReachesTheRatio) {
  // The first holds a weight besides: a little more than half.
  const Graph graph = Chain({8, 8});
  const TensorTable tensors(graph);
  ASSERT_NE(tensors.GroupElements(100)[0], tensors.GroupElements(100)[1]);  // the weight
  EXPECT_THAT(LowGroups(graph, {.policy = "demotion", .low_ratio = 0.5}), ElementsAre(0));
  EXPECT_THAT(LowGroups(graph, {.policy = "demotion", .low_ratio = 0.51}), ElementsAre(0, 1));
}

TEST(Demotion, HasTheDefaultRatioOfOneHalf) {
  const Graph graph = Chain({10, 30, 20, 30, 20});
  EXPECT_EQ(LowGroups(graph, {.policy = "demotion"}),
            LowGroups(graph, {.policy = "demotion", .low_ratio = 0.5}));
}

TEST(Increasing, TakesTheSmallestGroupFirstAndTheSmallerIdOnTies) {
  const Graph graph = Chain({20, 30, 10, 30, 20});
  EXPECT_THAT(LowGroups(graph, {.policy = "increasing", .low_ratio = 0.05}), ElementsAre(2));
  // Group 4 holds no weight and is a little smaller than group 0.
  EXPECT_THAT(LowGroups(graph, {.policy = "increasing", .low_ratio = 0.2}), ElementsAre(2, 4));
  EXPECT_THAT(LowGroups(graph, {.policy = "increasing", .low_ratio = 0.5}),
              ElementsAre(0, 1, 2, 4));
}

TEST(Random, RepeatsWithItsSeedAndDiffersBetweenSeeds) {
  const Graph graph = Chain(std::vector<int64_t>(40, 10));
  const auto low = [&](uint64_t seed) {
    return LowGroups(graph, {.policy = "random", .low_ratio = 0.5, .seed = seed});
  };
  EXPECT_EQ(low(1), low(1));
  EXPECT_NE(low(1), low(2));
  EXPECT_GE(low(1).size(), 20);
  EXPECT_LE(low(1).size(), 21);
}

TEST(Uniform, MakesAllGroupsLowOrAllHigh) {
  const Graph graph = Chain({10, 30, 20});
  EXPECT_THAT(LowGroups(graph, {.policy = "uniform"}), ElementsAre(0, 1, 2));
  EXPECT_THAT(LowGroups(graph, {.policy = "uniform", .low_ratio = 0}), ElementsAre());
}

TEST(Explicit, MakesTheListedGroupsLowAndRefusesOthers) {
  const Graph graph = Chain({10, 30, 20});
  EXPECT_THAT(LowGroups(graph, {.policy = "explicit", .low_groups = {2, 0}}), ElementsAre(0, 2));
  const TensorTable tensors(graph);
  for (const std::vector<int>& groups : std::vector<std::vector<int>>{{3}, {-1}, {1, 1}}) {
    const auto policy = MakePolicy({.policy = "explicit", .low_groups = groups}).value();
    const absl::Status status = policy->Assign(graph, tensors, 1).status();
    ASSERT_EQ(FieldViolationsOf(status).size(), 1) << status;
    EXPECT_EQ(FieldViolationsOf(status)[0].field, "low_groups");
  }
}

TEST(None, LeavesEveryTensorInFp32) {
  const Graph graph = Chain({10, 30, 20});
  const TensorTable tensors(graph);
  const Assignment assignment =
      MakePolicy({.policy = "none"}).value()->Assign(graph, tensors, 1).value();
  EXPECT_THAT(assignment.formats, Each(kernels::kFp32));
  EXPECT_EQ(assignment.formats.size(), tensors.tensors().size());
}

// conv1 -> relu -> conv2 -> relu -> linear: tensors by name and kind.
class OperatorPoliciesTest : public testing::Test {
 protected:
  OperatorPoliciesTest() : graph_("net") {
    ValueId x = graph_.AddInput("input", DType::kFloat32, {Dim::Batch(), 4});
    for (const char* name : {"conv1", "conv2", "linear"}) {
      const std::string op = name[0] == 'c' ? "aten::conv2d" : "aten::linear";
      const ValueId weight = graph_.AddParameter(absl::StrCat(name, ".weight"), {4});
      const ValueId bias = graph_.AddParameter(absl::StrCat(name, ".bias"), {4});
      x = graph_.AddNode({.name = name,
                          .op = op,
                          .args = {{"input", ValueRef{x}},
                                   {"weight", ValueRef{weight}},
                                   {"bias", ValueRef{bias}}}},
                         DType::kFloat32, {Dim::Batch(), 4});
      x = graph_.AddNode({.name = absl::StrCat(name, ".relu"),
                          .op = "aten::relu",
                          .args = {{"self", ValueRef{x}}}},
                         DType::kFloat32, {Dim::Batch(), 4});
    }
  }

  std::vector<std::string> Low(const std::string& policy) const {
    const TensorTable tensors(graph_);
    const Assignment assignment =
        MakePolicy({.policy = policy}).value()->Assign(graph_, tensors, 1).value();
    const char* const kinds[] = {"v ", "theta ", "dv ", "dtheta "};
    std::vector<std::string> low;
    for (size_t i = 0; i < tensors.tensors().size(); ++i) {
      const Tensor& tensor = tensors.tensors()[i];
      if (assignment.formats[i] == kernels::kHigh) continue;
      EXPECT_EQ(assignment.formats[i], tensor.kind == TensorKind::kActivationGradient
                                           ? kernels::kLowBackward
                                           : kernels::kLowForward);
      low.push_back(kinds[static_cast<int>(tensor.kind)] + tensor.name);
    }
    return low;
  }

  Graph graph_;
};

TEST_F(OperatorPoliciesTest, AutocastLowersEveryOperandOfEveryProduct) {
  EXPECT_THAT(Low("autocast"),
              ElementsAre("v input", "theta conv1.weight", "theta conv1.bias", "v conv1.relu",
                          "theta conv2.weight", "theta conv2.bias", "dv conv1", "v conv2.relu",
                          "theta linear.weight", "theta linear.bias", "dv conv2", "dv linear"));
}

TEST_F(OperatorPoliciesTest, OperatorBasedKeepsBothEndsHigh) {
  // High again: input, conv1 with its parameters, linear with its parameters, and conv2.relu.
  EXPECT_THAT(Low("operator"),
              ElementsAre("v conv1.relu", "theta conv2.weight", "theta conv2.bias", "dv conv2"));
}

struct BadPolicy {
  PolicyOptions options;
  std::string field, text;
};
class BadPolicyTest : public testing::TestWithParam<BadPolicy> {};

TEST_P(BadPolicyTest, IsRefusedWithItsFieldAndWhatIsAllowed) {
  const absl::Status status = MakePolicy(GetParam().options).status();
  ASSERT_EQ(FieldViolationsOf(status).size(), 1) << status;
  EXPECT_EQ(FieldViolationsOf(status)[0].field, GetParam().field);
  EXPECT_THAT(status.message(), HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    AllOptions, BadPolicyTest,
    testing::Values(
        BadPolicy{{.policy = "best"}, "policy", "allowed none, demotion, budget, uniform"},
        BadPolicy{{.policy = "demotion", .low_ratio = 1.5}, "low_ratio", "1.5; allowed 0.0 to 1.0"},
        BadPolicy{{.policy = "random", .low_ratio = -0.1}, "low_ratio", "allowed 0.0 to 1.0"},
        BadPolicy{{.policy = "increasing", .low_ratio = std::nan("")}, "low_ratio", "nan"},
        BadPolicy{
            {.policy = "uniform", .low_ratio = 0.5}, "low_ratio", "0 or 1 with policy uniform"},
        BadPolicy{{.policy = "operator", .low_ratio = 0.5}, "low_ratio", "nothing with policy"},
        BadPolicy{{.policy = "none", .low_ratio = 0}, "low_ratio", "nothing with policy none"},
        BadPolicy{{.policy = "explicit"}, "low_groups", "at least one"},
        BadPolicy{{.policy = "demotion", .low_groups = {1}}, "low_groups", "policy explicit"}));

TEST(PolicyNames, AreAllKnownToMakePolicy) {
  for (const std::string& name : PolicyNames()) {
    PolicyOptions options{.policy = name};
    if (name == "explicit") options.low_groups = {0};
    EXPECT_TRUE(MakePolicy(options).ok()) << name;
  }
}

}  // namespace
}  // namespace mantissa::planner
