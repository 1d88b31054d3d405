// The built-in networks against the operators that the paper's published program recorded of its
// own at width 0.1: names, order, inputs, sizes, groups, parameters, formats.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "planner/graph/operators.h"
#include "planner/plan.h"

namespace mantissa::planner {
namespace {

using nlohmann::json;

class ReferenceOperatorsTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::ifstream file("tests/planner/testdata/" + GetParam() + "-w0.1-operators.json");
    reference_ = json::parse(file);
  }

  Plan PlanOf(PolicyOptions precision) const {
    return MakePlan({.model = {.name = GetParam(), .width = 0.1, .classes = 10},
                     .precision = std::move(precision),
                     .batch_size = reference_["batch"]})
        .value();
  }

  // Names of the operators whose outputs `node` reads, views seen through.
  static std::vector<std::string> Producers(const Plan& plan, NodeId node) {
    std::vector<std::string> names;
    for (const ValueId input : TensorInputs(plan.graph, node)) {
      const int v = plan.tensors.FindProduced(input);
      if (v >= 0) names.push_back(plan.tensors.tensors()[v].name);
    }
    return names;
  }

  json reference_;
};

TEST_P(ReferenceOperatorsTest, HaveTheSameNamesOrderInputsAndSizes) {
  const Plan plan = PlanOf({});
  const json& ops = reference_["ops"];
  ASSERT_EQ(ops[0]["name"], "input");
  size_t index = 1;
  for (NodeId id = 0; id < static_cast<NodeId>(plan.graph.nodes().size()); ++id) {
    const Node& node = plan.graph.node(id);
    if (IsShapeOnly(plan.graph, node)) continue;
    ASSERT_LT(index, ops.size());
    const json& op = ops[index++];
    SCOPED_TRACE(op["name"]);
    EXPECT_EQ(node.name, op["name"]);
    EXPECT_EQ(Producers(plan, id), op["inputs"].get<std::vector<std::string>>());
    const int v = plan.tensors.Find(TensorKind::kActivation, node.outputs[0]);
    ASSERT_GE(v, 0);
    EXPECT_EQ(plan.tensors.tensors()[v].group, op["group"].get<int>());
    EXPECT_EQ(plan.tensors.tensors()[v].Elements(64), op["elements"].get<int64_t>());
    std::map<std::string, int64_t> parameters;
    for (const ValueId input : TensorInputs(plan.graph, id)) {
      const int theta = plan.tensors.Find(TensorKind::kParameter, input);
      if (theta < 0) continue;
      const Tensor& tensor = plan.tensors.tensors()[theta];
      parameters[tensor.name.substr(node.name.size() + 1)] = tensor.Elements(64);
      EXPECT_EQ(tensor.group, op["param_group"].get<int>());
    }
    EXPECT_EQ(parameters, (op["params"].get<std::map<std::string, int64_t>>()));
  }
  EXPECT_EQ(index, ops.size());
}

TEST_P(ReferenceOperatorsTest, HaveTheSameParametersAndBuffersInPyTorchsNames) {
  const Plan plan = PlanOf({});
  std::map<std::string, std::vector<int64_t>> expected, actual;
  std::set<std::string> expected_integers, actual_integers;
  for (const auto& [name, type_and_shape] : reference_["state"].items()) {
    expected[name] = type_and_shape[1].get<std::vector<int64_t>>();
    if (type_and_shape[0] == "I64") expected_integers.insert(name);
  }
  for (const std::vector<ValueId>* ids : {&plan.graph.parameters(), &plan.graph.buffers()}) {
    for (const ValueId id : *ids) {
      const Value& value = plan.graph.value(id);
      std::vector<int64_t>& shape = actual[value.name];
      for (const Dim& dim : value.shape) shape.push_back(dim.At(64));
      if (value.dtype == DType::kInt64) actual_integers.insert(value.name);
    }
  }
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(actual_integers, expected_integers);
}

TEST_P(ReferenceOperatorsTest, HaveTheSameFormatsAndBitsUnderEachRecordedPolicy) {
  const std::map<std::string, PolicyOptions> policies = {
      {"fp32", {.policy = "none"}},
      {"high", {.policy = "uniform", .low_ratio = 0}},
      {"low", {.policy = "uniform"}},
      {"demote05", {.policy = "demotion", .low_ratio = 0.5}},
  };
  const char* const kinds[] = {"v", "theta", "dv", "dtheta"};
  for (const auto& [name, expected] : reference_["formats"].items()) {
    SCOPED_TRACE(name);
    const Plan plan = PlanOf(policies.at(name));
    EXPECT_EQ(plan.cost.bits, expected["bits"].get<int64_t>());
    std::map<std::string, std::string> actual[4];
    for (size_t i = 0; i < plan.tensors.tensors().size(); ++i) {
      const Tensor& tensor = plan.tensors.tensors()[i];
      actual[static_cast<int>(tensor.kind)][tensor.name] = plan.assignment.formats[i].name();
    }
    for (size_t i = 0; i < reference_["ops"].size(); ++i) {
      const std::string op = reference_["ops"][i]["name"];
      EXPECT_EQ(actual[0][op], expected["v"][i]) << op;
    }
    for (const int kind : {1, 2, 3}) {
      for (const auto& [tensor, format] : expected[kinds[kind]].items()) {
        EXPECT_EQ(actual[kind][tensor], format) << kinds[kind] << " " << tensor;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllModels, ReferenceOperatorsTest,
                         testing::Values("mobilenet_v2", "resnet18", "shufflenet_v2",
                                         "squeezenet"));

}  // namespace
}  // namespace mantissa::planner
