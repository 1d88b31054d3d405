#include "planner/wire/plan_proto.h"

#include <string>

#include "absl/status/status.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/wire/precision.h"

namespace mantissa::planner {
namespace {

using ::testing::HasSubstr;

v1::PlanRequest Request(const std::string& model) {
  v1::PlanRequest request;
  request.mutable_model()->set_model("builtin:" + model);
  request.mutable_model()->set_width(0.25);
  request.mutable_model()->set_classes(10);
  return request;
}

TEST(PlanFromRequest, FillsTheDocumentedDefaults) {
  v1::PlanRequest request;
  request.mutable_model()->set_model("builtin:resnet18");
  request.mutable_model()->set_classes(10);
  const v1::Plan plan = PlanFromRequest(request).value();
  EXPECT_EQ(plan.batch_size(), 128);
  EXPECT_EQ(plan.model().width(), 1.0);
  EXPECT_EQ(plan.model().input_shape_size(), 3);
  EXPECT_EQ(plan.precision().low_ratio(), 0.5);
  EXPECT_EQ(plan.total_elements(), 543364500);  // the paper's program's count
}

TEST(PlanFromRequest, AddsUpInEveryPart) {
  const v1::Plan plan = PlanFromRequest(Request("squeezenet")).value();
  int64_t in_groups = 0, in_tensors = 0, in_low_groups = 0;
  for (const v1::GroupPlan& group : plan.groups()) {
    in_groups += group.elements();
    if (group.low()) in_low_groups += group.elements();
  }
  for (const v1::TensorPlan& tensor : plan.tensors()) in_tensors += tensor.elements();
  EXPECT_EQ(in_groups, plan.total_elements());
  EXPECT_EQ(in_tensors, plan.total_elements());
  EXPECT_NEAR(static_cast<double>(in_low_groups) / static_cast<double>(in_groups),
              plan.ratio_low_groups(), 1e-12);
}

TEST(PlanFromRequest, NamesTheFieldThatIsOutOfRange) {
  v1::PlanRequest request = Request("resnet18");
  request.mutable_precision()->set_low_ratio(1.5);
  absl::Status status = PlanFromRequest(request).status();
  ASSERT_EQ(FieldViolationsOf(status).size(), 1) << status;
  EXPECT_EQ(FieldViolationsOf(status)[0].field, "precision.low_ratio");
  request = Request("resnet18");
  request.mutable_model()->set_classes(0);
  status = PlanFromRequest(request).status();
  ASSERT_EQ(FieldViolationsOf(status).size(), 1) << status;
  EXPECT_EQ(FieldViolationsOf(status)[0].field, "model.classes");
}

TEST(PlanFromRequest, SaysNotFoundWithoutTheBuiltinPrefix) {
  v1::PlanRequest request = Request("resnet18");
  request.mutable_model()->set_model("resnet18");
  const absl::Status status = PlanFromRequest(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("names start with builtin:"));
}

TEST(ExplainFromRequest, GivesAReasonForEachTensorInThePlansOrder) {
  const v1::ExplainResponse response = ExplainFromRequest(Request("shufflenet_v2")).value();
  ASSERT_EQ(response.tensors_size(), response.plan().tensors_size());
  for (int i = 0; i < response.tensors_size(); ++i) {
    EXPECT_EQ(response.tensors(i).tensor().name(), response.plan().tensors(i).name());
    EXPECT_THAT(response.tensors(i).reason(), HasSubstr(response.plan().tensors(i).format()));
  }
}

TEST(PlanFromProto, GivesBackThePlanOfEveryPolicy) {
  for (int number = 1; number < v1::PolicyName_ARRAYSIZE; ++number) {
    const auto policy = static_cast<v1::PolicyName>(number);
    SCOPED_TRACE(PolicyNameText(policy));
    v1::PlanRequest request = Request("mobilenet_v2");
    request.mutable_precision()->set_policy(policy);
    if (policy == v1::POLICY_NAME_EXPLICIT) request.mutable_precision()->add_low_groups(3);
    request = NormalizePlanRequest(request).value();
    const v1::Plan message = PlanFromRequest(request).value();
    const Plan plan = PlanFromProto(message, /*label_smoothing=*/0.1).value();
    EXPECT_EQ(PlanToProto(plan, request).SerializeAsString(), message.SerializeAsString());
    EXPECT_EQ(plan.graph.nodes().back().op, "mantissa::smoothed_nll_loss");
  }
}

TEST(PlanFromProto, TakesFormatsFromTheMessageAndNotFromThePolicy) {
  v1::Plan message = PlanFromRequest(Request("resnet18")).value();
  v1::TensorPlan& tensor = *message.mutable_tensors(0);
  ASSERT_EQ(tensor.name(), "input");
  ASSERT_EQ(tensor.format(), "fp(6,9,0)");
  tensor.set_format("fp(4,3,4)");
  message.set_bits(message.bits() - 8 * tensor.elements());
  const Plan plan = PlanFromProto(message, 0).value();
  EXPECT_EQ(FormatOf(plan, TensorKind::kActivation, plan.graph.inputs()[0]), kernels::kLowForward);
}

struct Mangled {
  void (*change)(v1::Plan& plan);
  const char* text;
};
class MangledPlanTest : public testing::TestWithParam<Mangled> {};

TEST_P(MangledPlanTest, IsRefusedAsNotFittingTheModel) {
  v1::Plan message = PlanFromRequest(Request("resnet18")).value();
  GetParam().change(message);
  const absl::Status status = PlanFromProto(message, 0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(status.message(), HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    AllParts, MangledPlanTest,
    testing::Values(
        Mangled{[](v1::Plan& p) { p.mutable_tensors()->RemoveLast(); }, "is missing"},
        Mangled{[](v1::Plan& p) { p.mutable_tensors(3)->set_name("conv9"); }, "not there"},
        Mangled{[](v1::Plan& p) { *p.add_tensors() = p.tensors(0); }, "given twice"},
        Mangled{[](v1::Plan& p) { p.mutable_tensors(3)->set_elements(1); },
                "another group or size"},
        Mangled{[](v1::Plan& p) { p.mutable_tensors(3)->set_group(7); }, "another group or size"},
        Mangled{[](v1::Plan& p) { p.mutable_tensors(3)->set_format("fp(1,2)"); }, "fp(1,2)"},
        Mangled{[](v1::Plan& p) { p.mutable_groups()->RemoveLast(); }, "groups"},
        Mangled{[](v1::Plan& p) { p.mutable_groups(2)->set_id(3); }, "not in order"},
        Mangled{[](v1::Plan& p) { p.set_bits(1); }, "bits"},
        Mangled{[](v1::Plan& p) { p.mutable_model()->set_width(0.5); }, "another group or size"}));

}  // namespace
}  // namespace mantissa::planner
