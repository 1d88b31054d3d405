// The planner against a second one written in Python (oracle.py): every network at every width,
// several inputs, every policy with a fixed order.

#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "planner/graph/operators.h"
#include "planner/plan.h"

namespace mantissa::planner {
namespace {

using nlohmann::json;

const json& Cases() {
  static const json* const cases = [] {
    std::ifstream file("tests/planner/testdata/oracle.json");
    return new json(json::parse(file));
  }();
  return *cases;
}

class OracleTest : public testing::TestWithParam<int> {
 protected:
  const json& Case() const { return Cases()[GetParam()]; }

  Plan PlanOf(PolicyOptions precision) const {
    return MakePlan({.model = {.name = Case()["model"],
                               .width = Case()["width"],
                               .classes = Case()["classes"],
                               .input_shape = Case()["input"]},
                     .precision = std::move(precision),
                     .batch_size = Case()["batch"]})
        .value();
  }

  void ExpectOrdered(const std::string& policy) const {
    for (int tenths = 0; tenths <= 10; ++tenths) {
      const Plan plan = PlanOf({.policy = policy, .low_ratio = tenths / 10.0});
      std::vector<int> low;
      for (int group = 0; group < plan.tensors.group_count(); ++group) {
        if (plan.assignment.group_low[group]) low.push_back(group);
      }
      const json& expected = Case()[policy][tenths];
      EXPECT_EQ(low, expected["low"].get<std::vector<int>>()) << policy << " " << tenths;
      EXPECT_EQ(plan.cost.bits, expected["bits"].get<int64_t>()) << policy << " " << tenths;
    }
  }
};

TEST_P(OracleTest, AgreesOnElementsByGroupAndKind) {
  const Plan plan = PlanOf({});
  EXPECT_EQ(plan.tensors.GroupElements(Case()["batch"]),
            Case()["groups"].get<std::vector<int64_t>>());
  std::vector<int64_t> by_kind(4, 0);
  for (const Tensor& tensor : plan.tensors.tensors()) {
    by_kind[static_cast<int>(tensor.kind)] += tensor.Elements(Case()["batch"]);
  }
  EXPECT_EQ(by_kind, Case()["by_kind"].get<std::vector<int64_t>>());
  EXPECT_EQ(plan.cost.bits_high, 16 * plan.cost.total_elements);
  EXPECT_EQ(plan.cost.bits_fp32, 32 * plan.cost.total_elements);
}

TEST_P(OracleTest, AgreesOnOperatorNamesInOrder) {
  if (Case()["operators"].empty()) GTEST_SKIP() << "listed at width 1.0 only";
  const Plan plan = PlanOf({});
  std::vector<std::string> names = {"input"};
  for (const Node& node : plan.graph.nodes()) {
    if (!IsShapeOnly(plan.graph, node)) names.push_back(node.name);
  }
  EXPECT_EQ(names, Case()["operators"].get<std::vector<std::string>>());
}

TEST_P(OracleTest, AgreesOnGroupsChosenLargestAndSmallestFirst) {
  ExpectOrdered("demotion");
  ExpectOrdered("increasing");
}

TEST_P(OracleTest, AgreesOnBitsOfPoliciesWithoutAnOrder) {
  EXPECT_EQ(PlanOf({.policy = "uniform"}).cost.bits, Case()["uniform"].get<int64_t>());
  EXPECT_EQ(PlanOf({.policy = "operator"}).cost.bits, Case()["operator"].get<int64_t>());
  EXPECT_EQ(PlanOf({.policy = "autocast"}).cost.bits, Case()["autocast"].get<int64_t>());
  EXPECT_EQ(PlanOf({.policy = "explicit", .low_groups = {5, 0, 2}}).cost.bits,
            Case()["explicit"].get<int64_t>());
}

TEST_P(OracleTest, AgreesOnBytesSavedForBackwardInBothPrecisions) {
  EXPECT_EQ(PlanOf({.policy = "uniform"}).memory.saved_for_backward_bytes,
            Case()["saved"]["low"].get<int64_t>());
  EXPECT_EQ(PlanOf({.policy = "uniform", .low_ratio = 0}).memory.saved_for_backward_bytes,
            Case()["saved"]["high"].get<int64_t>());
}

INSTANTIATE_TEST_SUITE_P(AllWidths, OracleTest,
                         testing::Range(0, static_cast<int>(Cases().size())));

}  // namespace
}  // namespace mantissa::planner
