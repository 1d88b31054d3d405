#include "planner/wire/model_proto.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;

TEST(ListBuiltinModels, GivesNamesThatDescribeModelTakes) {
  const v1::ListModelsResponse response = ListBuiltinModels();
  EXPECT_EQ(response.models_size(), 4);
  for (const v1::Model& model : response.models()) {
    v1::ModelSpec spec;
    spec.set_model(model.name());
    spec.set_width(model.widths(0));
    EXPECT_TRUE(DescribeModel(spec).ok()) << model.name();
  }
}

TEST(DescribeModel, TellsOperatorsInputsParametersAndGroups) {
  v1::ModelSpec spec;
  spec.set_model("builtin:resnet18");
  const v1::GetModelResponse response = DescribeModel(spec).value();
  EXPECT_EQ(response.spec().classes(), 10);
  EXPECT_EQ(response.parameter_elements(), 11173962);  // the paper's program's count
  std::map<std::string, v1::OperatorInfo> by_name;
  for (const v1::OperatorInfo& info : response.operators()) by_name[info.name()] = info;
  EXPECT_THAT(by_name["conv1"].inputs(), ElementsAre("input"));
  EXPECT_THAT(by_name["conv1"].parameters(), ElementsAre("conv1.weight"));
  EXPECT_EQ(by_name["conv1"].group(), 1);
  EXPECT_EQ(by_name["conv1"].output_elements_per_sample(), 64 * 32 * 32);
  EXPECT_EQ(by_name["flatten"].group(), -1);
  EXPECT_THAT(by_name["linear"].inputs(), ElementsAre("flatten"));
  EXPECT_EQ(by_name["linear"].parameter_elements(), 512 * 10 + 10);
  EXPECT_THAT(by_name["criterion.nllloss"].inputs(), ElementsAre("criterion.logsoftmax"));
}

// A convolution whose output nobody can classify with, and an operator that nobody knows.
Graph Uploaded() {
  Graph graph("uploaded");
  const ValueId x = graph.AddInput("x", DType::kFloat32, {Dim::Batch(), 1, 4, 4});
  const ValueId weight = graph.AddParameter("conv.weight", {2, 1, 1, 1});
  const ValueId scale = graph.AddParameter("scale", {4});
  graph.AddBuffer("seen", DType::kInt64, {});
  graph.AddConstant("table", DType::kFloat32, {4});
  const ValueId y = graph.AddNode({.name = "conv",
                                   .op = "aten::conv2d",
                                   .args = {{"input", ValueRef{x}}, {"weight", ValueRef{weight}}}},
                                  DType::kFloat32, {Dim::Batch(), 2, 4, 4});
  const std::vector<ValueId> halves =
      graph.AddNode({.name = "odd",
                     .op = "aten::nobody_knows",
                     .args = {{"self", ValueRef{y}}, {"scale", ValueRef{scale}}}},
                    {Graph::Output{DType::kFloat32, {Dim::Batch(), 8}, kNoValue}, std::nullopt,
                     Graph::Output{DType::kFloat32, {Dim::Batch(), 2, 3}, kNoValue}});
  graph.SetOutput(
      graph.AddNode({.name = "sum", .op = "aten::relu", .args = {{"self", ValueRef{halves[0]}}}},
                    DType::kFloat32, {Dim::Batch(2), 2, 2, 1, 1}));
  return graph;
}

TEST(DescribeModel, TellsTensorsOfAnUploadedModelAndWhatIsNotKnown) {
  const Graph graph = Uploaded();
  v1::ModelSpec spec;
  spec.set_model("mine");
  spec.add_freeze("scale");
  const v1::GetModelResponse response = DescribeModel(spec, v1::LOSS_UNSPECIFIED, &graph).value();
  EXPECT_EQ(response.loss(), v1::LOSS_MSE);  // five dimensions are no logits
  EXPECT_THAT(response.unknown_operators(), ElementsAre("aten::nobody_knows"));
  ASSERT_EQ(response.parameters_size(), 2);
  EXPECT_FALSE(response.parameters(0).frozen());
  EXPECT_GE(response.parameters(0).group(), 0);
  EXPECT_TRUE(response.parameters(1).frozen());
  EXPECT_EQ(response.parameter_elements(), 2);  // those that are trained
  EXPECT_EQ(response.buffers(0).data_type(), v1::DATA_TYPE_INT64);
  EXPECT_EQ(response.constants(0).name(), "table");
  EXPECT_TRUE(response.inputs(0).shape(0).times_batch());
  EXPECT_EQ(response.outputs(0).shape(0).size(), 2);
  const v1::OperatorInfo& odd = response.operators(1);
  EXPECT_TRUE(odd.unknown());
  EXPECT_EQ(odd.outputs_size(), 2);
  EXPECT_EQ(odd.output_elements_per_sample(), 8 + 6);
  EXPECT_THAT(odd.inputs(), ElementsAre("conv"));
  EXPECT_THAT(response.operators(2).inputs(), ElementsAre("odd"));
  EXPECT_FALSE(DescribeModel(spec, v1::LOSS_CROSS_ENTROPY, &graph).ok());
}

TEST(DescribeModel, RefusesUnknownNamesAndShapesThatAreTooSmall) {
  v1::ModelSpec spec;
  spec.set_model("builtin:alexnet");
  EXPECT_EQ(DescribeModel(spec).status().code(), absl::StatusCode::kNotFound);
  spec.set_model("builtin:resnet18");
  for (const int64_t size : {3, 8, 8}) spec.add_input_shape(size);
  EXPECT_EQ(DescribeModel(spec).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace mantissa::planner
