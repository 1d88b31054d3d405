#include "planner/plan.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
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

// Blocks of attention: layer norm, four linear layers, two products, softmax, dropout, a sum.
std::shared_ptr<const Graph> Transformer(int blocks) {
  auto graph = std::make_shared<Graph>("transformer");
  const Shape rows = {Dim::Batch(), 16, 64}, turned = {Dim::Batch(), 64, 16};
  const Shape scores = {Dim::Batch(), 16, 16};
  const auto add = [&](std::string name, const char* op, std::vector<Argument> args,
                       const Shape& shape, ValueId alias_of = kNoValue) {
    return graph->AddNode({.name = std::move(name), .op = op, .args = std::move(args)},
                          DType::kFloat32, shape, alias_of);
  };
  const auto self = [](ValueId value) { return Argument{"self", ValueRef{value}}; };
  const auto other = [](ValueId value) { return Argument{"other", ValueRef{value}}; };
  const auto linear = [&](const std::string& name, ValueId x) {
    const ValueId weight = graph->AddParameter(name + ".weight", {64, 64});
    return add(name, "aten::linear", {{"input", ValueRef{x}}, {"weight", ValueRef{weight}}}, rows);
  };
  ValueId x = graph->AddInput("x", DType::kFloat32, rows);
  for (int i = 0; i < blocks; ++i) {
    const std::string block = absl::StrCat("blocks.", i, ".");
    const ValueId norm = add(block + "norm", "aten::layer_norm", {{"input", ValueRef{x}}}, rows);
    const ValueId q = linear(block + "q", norm), k = linear(block + "k", norm);
    const ValueId v = linear(block + "v", norm);
    const ValueId t = add(block + "t", "aten::transpose", {self(k)}, turned, k);
    const ValueId qk = add(block + "qk", "aten::matmul", {self(q), other(t)}, scores);
    const ValueId p = add(block + "softmax", "aten::softmax", {self(qk)}, scores);
    const ValueId dropped = add(block + "dropout", "aten::dropout",
                                {{"input", ValueRef{p}}, {"p", 0.1}, {"train", true}}, scores);
    const ValueId av = add(block + "av", "aten::matmul", {self(dropped), other(v)}, rows);
    x = add(block + "add", "aten::add", {self(x), other(linear(block + "o", av))}, rows);
  }
  graph->SetOutput(x);
  return graph;
}

TEST(MakePlan, TakesAnUploadedGraphWithItsLossAndFreezes) {
  PlanRequest request{.uploaded = Transformer(2),
                      .loss = {.kind = LossKind::kMse},
                      .freeze = {"blocks.0.*"},
                      .batch_size = 4};
  const Plan plan = MakePlan(request).value();
  EXPECT_EQ(plan.graph.nodes().back().op, "aten::mse_loss");
  EXPECT_EQ(plan.request.uploaded, request.uploaded);
  EXPECT_EQ(request.uploaded->loss(), kNoValue);
  request.freeze.clear();
  const Plan trained = MakePlan(request).value();
  EXPECT_LT(plan.cost.total_elements, trained.cost.total_elements);
  EXPECT_LT(plan.memory.peak_bytes, trained.memory.peak_bytes);
  request.freeze = {"blocks.7.*"};
  EXPECT_THAT(std::string(MakePlan(request).status().message()),
              HasSubstr("model.freeze is \"blocks.7.*\""));
}

TEST(MakePlan, FitsAThousandOperatorsWithSomeLowInEveryOrder) {
  // 1,000 nodes and 600 groups.
  PlanRequest request{.uploaded = Transformer(100),
                      .loss = {.kind = LossKind::kMse},
                      .precision = {.policy = "uniform", .low_ratio = 0},
                      .batch_size = 8};
  const int64_t high = MakePlan(request).value().memory.peak_bytes;
  for (const char* policy : {"demotion", "budget"}) {
    request.precision = {.policy = policy};
    request.memory_bytes = high * 9 / 10;
    const Plan plan = MakePlan(request).value();
    EXPECT_LE(plan.memory.peak_bytes, request.memory_bytes) << policy;
    EXPECT_GT(plan.cost.ratio_low_groups, 0) << policy;
    EXPECT_LT(plan.cost.ratio_low_groups, 0.9) << policy;
    EXPECT_TRUE(plan.recompute.empty()) << policy;
    // Nothing but recomputing is left.
    request.memory_bytes = high * 45 / 100;
    const absl::StatusOr<Plan> tight = MakePlan(request);
    if (tight.ok()) {
      EXPECT_FALSE(tight->recompute.empty()) << policy;
    } else {
      EXPECT_EQ(tight.status().code(), absl::StatusCode::kFailedPrecondition) << policy;
    }
  }
}

}  // namespace
}  // namespace mantissa::planner
