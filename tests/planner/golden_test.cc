// Plans against those of the paper's published program: every integer and every ratio of
// tests/planner/golden, which that program's planner printed.

#include <cstdint>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "planner/plan.h"

namespace mantissa::planner {
namespace {

using nlohmann::json;

class GoldenTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::ifstream file("tests/planner/golden/" + GetParam() + ".json");
    golden_ = json::parse(file);
  }

  Plan PlanOf(PolicyOptions precision) const {
    PlanRequest request{.model = {.name = golden_["model"],
                                  .width = golden_["width"],
                                  .classes = golden_["classes"],
                                  .input_shape = golden_["input"]},
                        .precision = std::move(precision),
                        .batch_size = golden_["batch"]};
    return MakePlan(request).value();
  }

  json golden_;
};

TEST_P(GoldenTest, CountsTheSameElementsByKindAndGroup) {
  const Plan plan = PlanOf({});
  EXPECT_EQ(plan.cost.total_elements, golden_["total_elements"].get<int64_t>());
  const char* const kinds[] = {"Y", "P", "GY", "GP"};
  int64_t by_kind[4] = {};
  for (const Tensor& tensor : plan.tensors.tensors()) {
    by_kind[static_cast<int>(tensor.kind)] += tensor.Elements(golden_["batch"]);
  }
  for (int kind = 0; kind < 4; ++kind) {
    EXPECT_EQ(by_kind[kind], golden_["by_kind"][kinds[kind]].get<int64_t>()) << kinds[kind];
  }
  const std::vector<int64_t> groups = plan.tensors.GroupElements(golden_["batch"]);
  ASSERT_EQ(groups.size(), golden_["groups"].size());
  for (size_t id = 0; id < groups.size(); ++id) {
    EXPECT_EQ(golden_["groups"][id]["id"], id);
    EXPECT_EQ(groups[id], golden_["groups"][id]["elements"].get<int64_t>()) << "group " << id;
  }
}

TEST_P(GoldenTest, DemotesTheSameGroupsAtEveryRatio) {
  ASSERT_EQ(golden_["plans"].size(), 11);
  for (const auto& [text, expected] : golden_["plans"].items()) {
    SCOPED_TRACE(text);
    double ratio = -1;
    ASSERT_TRUE(absl::SimpleAtod(text, &ratio));
    const Plan plan = PlanOf({.policy = "demotion", .low_ratio = ratio});
    std::vector<int> low;
    for (int group = 0; group < plan.tensors.group_count(); ++group) {
      if (plan.assignment.group_low[group]) low.push_back(group);
    }
    EXPECT_EQ(low, expected["groups_low"].get<std::vector<int>>());
    EXPECT_EQ(plan.cost.bits, expected["bits"].get<int64_t>());
    EXPECT_EQ(plan.cost.bits_high, expected["bits_high"].get<int64_t>());
    EXPECT_EQ(plan.cost.ratio_low_groups, expected["ratio_low_groups"].get<double>());
    EXPECT_EQ(plan.cost.ratio_low_bits, expected["ratio_low_bits"].get<double>());
  }
}

TEST_P(GoldenTest, GivesTheOperatorBasedPolicyTheSameBits) {
  const Plan plan = PlanOf({.policy = "operator"});
  const json& expected = golden_["operator_based"];
  EXPECT_EQ(plan.cost.bits, expected["bits"].get<int64_t>());
  EXPECT_EQ(plan.cost.bits_high, expected["bits_high"].get<int64_t>());
  EXPECT_EQ(plan.cost.ratio_low_bits, expected["ratio_low_bits"].get<double>());
}

INSTANTIATE_TEST_SUITE_P(AllModels, GoldenTest,
                         testing::Values("mobilenet_v2-w1.0-c10-b128", "resnet18-w0.25-c100-b128",
                                         "resnet18-w1.0-c10-b128", "shufflenet_v2-w0.5-c100-b128",
                                         "squeezenet-w1.0-c10-b128"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = c == '.' || c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace mantissa::planner
