#include "planner/explain/explain.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::planner {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Plan PlanOf(PolicyOptions precision) {
  return MakePlan({.model = {.name = "resnet18"}, .precision = std::move(precision)}).value();
}

std::string ReasonOf(const Plan& plan, TensorKind kind, const std::string& name) {
  const std::vector<std::string> reasons = ExplainPlan(plan);
  for (size_t i = 0; i < reasons.size(); ++i) {
    const Tensor& tensor = plan.tensors.tensors()[i];
    if (tensor.kind == kind && tensor.name == name) return reasons[i];
  }
  return "";
}

TEST(ExplainPlan, TellsGroupSizeFormatAndPlaceOfALowTensor) {
  const Plan plan = PlanOf({.policy = "demotion", .low_ratio = 0.2});
  // Golden: at 0.2, groups 3 and 5 are low; group 5 is the largest.
  EXPECT_THAT(ReasonOf(plan, TensorKind::kActivation, "layer1.1.conv2"),
              AllOf(StartsWith("Group 5, 8,388,608 elements, fp(4,3,4): group 5 ("),
                    HasSubstr("is the largest; low because the low ratio was 0.0000 < 0.2000")));
  EXPECT_THAT(
      ReasonOf(plan, TensorKind::kActivationGradient, "layer1.0.conv2"),
      AllOf(HasSubstr("fp(5,2,0)"), HasSubstr("the 2nd largest"), HasSubstr("0.1238 < 0.2000")));
}

TEST(ExplainPlan, TellsWhatALimitOfMemoryAskedFor) {
  const Plan plan = MakePlan({.model = {.name = "resnet18"},
                              .precision = {.policy = "budget"},
                              .memory_bytes = int64_t{400} << 20})
                        .value();
  bool told_low = false, told_high = false;
  for (const std::string& reason : ExplainPlan(plan)) {
    told_low |= absl::StrContains(reason, "low because a step did not fit into 400.0 MiB before");
    told_high |= absl::StrContains(reason, "high because a step fits into 400.0 MiB without it");
  }
  EXPECT_TRUE(told_low);
  EXPECT_TRUE(told_high);
}

TEST(ExplainPlan, TellsWhyATensorStayedHigh) {
  const Plan plan = PlanOf({.policy = "demotion", .low_ratio = 0.2});
  EXPECT_THAT(
      ReasonOf(plan, TensorKind::kActivation, "input"),
      AllOf(HasSubstr("fp(6,9,0)"), HasSubstr("high because the low ratio was 0.2475 >= ")));
  EXPECT_THAT(ReasonOf(plan, TensorKind::kParameterGradient, "layer1.1.bn2.weight"),
              EndsWith("gradients of parameters stay high all the same."));
}

TEST(ExplainPlan, NamesTheEndsOfTheOperatorBasedPolicy) {
  const Plan plan = PlanOf({.policy = "operator"});
  EXPECT_THAT(ReasonOf(plan, TensorKind::kActivation, "input"),
              HasSubstr("high because it is the network's input."));
  EXPECT_THAT(ReasonOf(plan, TensorKind::kParameter, "conv1.weight"),
              HasSubstr("high because its operator reads the network's input."));
  EXPECT_THAT(ReasonOf(plan, TensorKind::kActivation, "avgpool2d"),
              HasSubstr("high because it feeds the last group."));
  EXPECT_THAT(ReasonOf(plan, TensorKind::kActivationGradient, "layer1.0.conv1"),
              HasSubstr("low because it is the gradient of the output of layer1.0.conv1"));
  EXPECT_THAT(ReasonOf(plan, TensorKind::kParameter, "bn1.weight"),
              HasSubstr("high because no matrix product reads it."));
}

// Whatever the policy, the sentence must not contradict the format.
TEST(ExplainPlan, AgreesWithTheFormatsOfEveryPolicy) {
  const std::vector<PolicyOptions> all = {{.policy = "none"},
                                          {.policy = "demotion"},
                                          {.policy = "uniform"},
                                          {.policy = "operator"},
                                          {.policy = "autocast"},
                                          {.policy = "increasing"},
                                          {.policy = "random"},
                                          {.policy = "explicit", .low_groups = {1, 3}},
                                          {.policy = "uniform", .low_ratio = 0}};
  for (const PolicyOptions& options : all) {
    const Plan plan = PlanOf(options);
    const std::vector<std::string> reasons = ExplainPlan(plan);
    ASSERT_EQ(reasons.size(), plan.tensors.tensors().size());
    for (size_t i = 0; i < reasons.size(); ++i) {
      EXPECT_THAT(reasons[i], HasSubstr(plan.assignment.formats[i].name()));
      const bool says_low = absl::StrContains(reasons[i], "low because");
      const bool says_high = absl::StrContains(reasons[i], "high because") ||
                             absl::StrContains(reasons[i], "stay high");
      if (says_low && !says_high) {
        EXPECT_NE(plan.assignment.formats[i], kernels::kHigh) << reasons[i];
      }
      if (says_high) {
        EXPECT_EQ(plan.assignment.formats[i], kernels::kHigh) << reasons[i];
      }
    }
  }
}

}  // namespace
}  // namespace mantissa::planner
