#include "planner/wire/model_proto.h"

#include <map>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

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
