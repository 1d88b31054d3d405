#include "planner/plan.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mantissa::planner {
namespace {

using ::testing::HasSubstr;

TEST(MakePlan, CostsNothingLessThanFp32WithPolicyNone) {
  const Plan plan =
      MakePlan({.model = {.name = "resnet18"}, .precision = {.policy = "none"}}).value();
  EXPECT_EQ(plan.cost.bits, plan.cost.bits_fp32);
  EXPECT_EQ(plan.cost.ratio_low_bits, 0);
  EXPECT_EQ(plan.cost.ratio_low_groups, 0);
}

TEST(MakePlan, ReachesTheAskedRatioButStaysBelowOneInBits) {
  for (const ModelInfo& info : BuiltinModels()) {
    for (const double ratio : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      const Plan plan =
          MakePlan({.model = {.name = info.name}, .precision = {.low_ratio = ratio}}).value();
      EXPECT_GE(plan.cost.ratio_low_groups, ratio) << info.name;
      EXPECT_LT(plan.cost.ratio_low_bits, 1) << info.name;
    }
  }
}

TEST(MakePlan, CountsTheSmoothedLossLikeThePlainOne) {
  PlanRequest request{.model = {.name = "squeezenet"}};
  const Cost plain = MakePlan(request).value().cost;
  request.loss.label_smoothing = 0.1;
  const Plan smoothed = MakePlan(request).value();
  EXPECT_EQ(smoothed.cost.bits, plain.bits);
  EXPECT_EQ(smoothed.graph.nodes().back().op, "mantissa::smoothed_nll_loss");
}

TEST(FormatOf, GivesTheFormatsOfOneValueByKind) {
  const Plan plan =
      MakePlan({.model = {.name = "resnet18"}, .precision = {.policy = "uniform"}}).value();
  const ValueId input = plan.graph.inputs()[0];
  const ValueId weight = plan.graph.parameters()[0];
  EXPECT_EQ(FormatOf(plan, TensorKind::kActivation, input), kernels::kLowForward);
  EXPECT_EQ(FormatOf(plan, TensorKind::kActivationGradient, input), kernels::kLowBackward);
  EXPECT_EQ(FormatOf(plan, TensorKind::kParameter, weight), kernels::kLowForward);
  EXPECT_EQ(FormatOf(plan, TensorKind::kParameterGradient, weight), kernels::kHigh);
}

struct BadRequest {
  PlanRequest request;
  std::string field;
};
class BadRequestTest : public testing::TestWithParam<BadRequest> {};

TEST_P(BadRequestTest, IsRefusedWithTheWholePathOfItsField) {
  const absl::Status status = MakePlan(GetParam().request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(FieldViolationsOf(status).size(), 1) << status;
  EXPECT_EQ(FieldViolationsOf(status)[0].field, GetParam().field);
}

INSTANTIATE_TEST_SUITE_P(
    AllFields, BadRequestTest,
    testing::Values(
        BadRequest{{.model = {.name = "resnet18", .width = 0.3}}, "model.width"},
        BadRequest{{.model = {.name = "resnet18"}, .precision = {.low_ratio = 1.5}},
                   "precision.low_ratio"},
        BadRequest{{.model = {.name = "resnet18"},
                    .precision = {.policy = "explicit", .low_groups = {99}}},
                   "precision.low_groups"},
        BadRequest{{.model = {.name = "resnet18"}, .batch_size = 0}, "batch_size"},
        BadRequest{{.model = {.name = "resnet18"}, .batch_size = 1 << 21}, "batch_size"},
        // Within all other ranges, yet more elements than 64-bit integers count in bits.
        BadRequest{
            {.model = {.name = "resnet18", .input_shape = {3, 4096, 4096}}, .batch_size = 1 << 20},
            "batch_size"},
        BadRequest{{.model = {.name = "resnet18"}, .loss = {.label_smoothing = 1}},
                   "label_smoothing"},
        BadRequest{{.model = {.name = "resnet18"}, .loss = {.label_smoothing = std::nan("")}},
                   "label_smoothing"}));

TEST(MakePlan, SaysNotFoundForAModelThatIsNotThere) {
  const absl::Status status = MakePlan({.model = {.name = "vgg"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("builtin:mobilenet_v2"));
}

}  // namespace
}  // namespace mantissa::planner
