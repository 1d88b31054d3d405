#include "planner/wire/plan_proto.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/graph/graph.h"
#include "planner/graph/loss.h"
#include "planner/wire/precision.h"

namespace mantissa::planner {
namespace {

using ::testing::ElementsAre;
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
  EXPECT_EQ(plan.optimizer(), v1::OPTIMIZER_SGD);
  EXPECT_EQ(plan.optimizer_state(), v1::OPTIMIZER_STATE_FP32);
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

TEST(PlanFromRequest, NamesTheOptimizerThatIsNone) {
  v1::PlanRequest request = Request("resnet18");
  request.set_optimizer(static_cast<v1::Optimizer>(7));
  absl::Status status = PlanFromRequest(request).status();
  ASSERT_EQ(FieldViolationsOf(status).size(), 1) << status;
  EXPECT_EQ(FieldViolationsOf(status)[0].field, "optimizer");
  request = Request("resnet18");
  request.set_optimizer_state(static_cast<v1::OptimizerState>(-1));
  status = PlanFromRequest(request).status();
  ASSERT_EQ(FieldViolationsOf(status).size(), 1) << status;
  EXPECT_EQ(FieldViolationsOf(status)[0].field, "optimizer_state");
}

TEST(PlanFromRequest, ForecastsEveryTaskOfAStepAndItsPeak) {
  const v1::Plan plan = PlanFromRequest(Request("resnet18")).value();
  const v1::StepMemory& memory = plan.memory();
  int64_t largest = 0;
  std::map<v1::StepPhase, std::set<std::string>> operators;
  for (const v1::MemoryPoint& point : memory.timeline()) {
    const v1::MemoryBytes& bytes = point.bytes();
    EXPECT_EQ(bytes.total(), bytes.masters() + bytes.weights() + bytes.activations() +
                                 bytes.gradients() + bytes.optimizer() + bytes.workspace());
    largest = std::max(largest, bytes.total());
    EXPECT_TRUE(operators[point.phase()].insert(point.operator_()).second) << point.operator_();
  }
  EXPECT_EQ(memory.peak_bytes(), largest);
  EXPECT_EQ(memory.peak().bytes().total(), largest);
  EXPECT_EQ(operators[v1::STEP_PHASE_FORWARD].count("layer1.0.conv1"), 1u);
  EXPECT_EQ(operators[v1::STEP_PHASE_BACKWARD].count("layer1.0.conv1"), 1u);
  EXPECT_EQ(operators[v1::STEP_PHASE_RECOMPUTE].size(), 0u);
  EXPECT_EQ(memory.timeline().rbegin()->phase(), v1::STEP_PHASE_UPDATE);
  EXPECT_EQ(operators[v1::STEP_PHASE_UPDATE], std::set<std::string>({""}));
  EXPECT_GT(memory.saved_for_backward_bytes(), 0);
  std::vector<std::string> names;
  for (const v1::MemoryBaseline& baseline : plan.baselines()) {
    names.push_back(baseline.name());
    EXPECT_GT(baseline.peak_bytes(), 0);
    EXPECT_FALSE(baseline.measured());
  }
  EXPECT_THAT(names, ElementsAre("fp32", "16-bit", "operator"));
  EXPECT_GT(plan.baselines(0).peak_bytes(), memory.peak_bytes());
}

TEST(PlanFromRequest, TakesStorageMomentsAndOptimizerIntoTheForecast) {
  const auto peak_of = [](void (*change)(v1::PlanRequest & request)) {
    v1::PlanRequest request = Request("resnet18");
    change(request);
    return PlanFromRequest(request)->memory().peak();
  };
  const v1::MemoryPoint usual = peak_of([](v1::PlanRequest&) {});
  const auto emulated =
      peak_of([](v1::PlanRequest& r) { r.mutable_precision()->set_storage(v1::STORAGE_EMULATED); });
  EXPECT_GT(emulated.bytes().activations(), usual.bytes().activations());
  const auto adamw = peak_of([](v1::PlanRequest& r) { r.set_optimizer(v1::OPTIMIZER_ADAMW); });
  EXPECT_EQ(adamw.bytes().optimizer(), 2 * usual.bytes().optimizer());
  const auto int8 =
      peak_of([](v1::PlanRequest& r) { r.set_optimizer_state(v1::OPTIMIZER_STATE_INT8); });
  EXPECT_LT(int8.bytes().optimizer(), usual.bytes().optimizer());
}

TEST(PlanFromRequest, RecomputesCheapOperatorsByName) {
  v1::PlanRequest request = Request("mobilenet_v2");
  const v1::Plan kept = PlanFromRequest(request).value();
  request.mutable_precision()->set_recompute(v1::RECOMPUTE_CHEAP);
  const v1::Plan plan = PlanFromRequest(request).value();
  EXPECT_GT(plan.recompute_size(), 0);
  EXPECT_LT(plan.memory().peak_bytes(), kept.memory().peak_bytes());
  std::set<std::string> names;
  for (const v1::TensorPlan& tensor : plan.tensors()) names.insert(tensor.name());
  for (const std::string& name : plan.recompute()) EXPECT_EQ(names.count(name), 1u) << name;
}

TEST(PlanFromRequest, ChoosesTheRatioThatFitsABudgetAndCanBeAskedAgain) {
  v1::PlanRequest request = Request("resnet18");
  request.mutable_precision()->set_low_ratio(0);
  const int64_t high = PlanFromRequest(request)->memory().peak_bytes();
  request.mutable_precision()->set_low_ratio(1);
  const int64_t low = PlanFromRequest(request)->memory().peak_bytes();
  ASSERT_LT(low, high);
  request.mutable_precision()->clear_low_ratio();
  request.mutable_precision()->set_memory_bytes((low + high) / 2);
  const v1::Plan plan = PlanFromRequest(request).value();
  EXPECT_LE(plan.memory().peak_bytes(), (low + high) / 2);
  EXPECT_GT(plan.ratio_low_groups(), 0);
  EXPECT_LT(plan.ratio_low_groups(), 1);
  EXPECT_FALSE(plan.precision().has_low_ratio());
  *request.mutable_precision() = plan.precision();
  EXPECT_EQ(PlanFromRequest(request)->SerializeAsString(), plan.SerializeAsString());
}

TEST(PlanFromRequest, SaysByHowMuchABudgetIsMissed) {
  v1::PlanRequest request = Request("resnet18");
  request.mutable_precision()->set_memory_bytes(1 << 20);
  const absl::Status status = PlanFromRequest(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(status.message(), HasSubstr("batch"));
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
    request.set_label_smoothing(0.1);
    request = NormalizePlanRequest(request).value();
    const v1::Plan message = PlanFromRequest(request).value();
    const Plan plan = PlanFromProto(message).value();
    EXPECT_EQ(PlanToProto(plan, request).SerializeAsString(), message.SerializeAsString());
    EXPECT_EQ(plan.graph.nodes().back().op, "mantissa::smoothed_nll_loss");
  }
}

// A linear layer, as if somebody had uploaded it: [N, 4] to [N, 3].
UploadedGraph Linear() {
  auto graph = std::make_shared<Graph>("uploaded");
  const ValueId x = graph->AddInput("x", DType::kFloat32, {Dim::Batch(), 4});
  const ValueId weight = graph->AddParameter("head.weight", {3, 4});
  const ValueId bias = graph->AddParameter("head.bias", {3});
  graph->SetOutput(graph->AddNode(
      {.name = "head",
       .op = "aten::linear",
       .args = {{"input", ValueRef{x}}, {"weight", ValueRef{weight}}, {"bias", ValueRef{bias}}}},
      DType::kFloat32, {Dim::Batch(), 3}));
  return graph;
}

TEST(PlanFromRequest, PlansAnUploadedGraphWithItsLossAndItsFrozenParameters) {
  v1::PlanRequest request;
  request.mutable_model()->set_model("mine");
  request.mutable_model()->add_freeze("*.bias");
  request.set_loss(v1::LOSS_MSE);
  request.set_batch_size(2);
  request.set_accumulate_batches(4);
  request.set_clip_norm(1);
  request.set_ema_decay(0.5);
  const UploadedGraph graph = Linear();
  const v1::Plan message = PlanFromRequest(request, graph).value();
  EXPECT_EQ(message.model().classes(), 3);
  EXPECT_THAT(message.model().input_shape(), ElementsAre(4));
  EXPECT_EQ(message.loss(), v1::LOSS_MSE);
  EXPECT_FALSE(message.has_ignore_index());
  std::map<std::string, int> kinds;
  for (const v1::TensorPlan& tensor : message.tensors()) ++kinds[tensor.name()];
  EXPECT_EQ(kinds["head.weight"], 2);  // itself and its gradient
  EXPECT_EQ(kinds["head.bias"], 1);
  const Plan plan = PlanFromProto(message, graph).value();
  EXPECT_EQ(plan.request.accumulate_batches, 4);
  EXPECT_EQ(plan.request.clip_norm, 1);
  EXPECT_EQ(plan.request.ema_decay, 0.5);
  EXPECT_EQ(plan.request.loss.kind, LossKind::kMse);
  const v1::PlanRequest filled = NormalizePlanRequest(request, graph).value();
  EXPECT_EQ(PlanToProto(plan, filled).SerializeAsString(), message.SerializeAsString());
}

TEST(PlanFromRequest, HoldsAnUploadedGraphToItsOwnShapes) {
  const auto field = [](const std::function<void(v1::PlanRequest&)>& change) {
    v1::PlanRequest request;
    request.mutable_model()->set_model("mine");
    change(request);
    const absl::Status status = PlanFromRequest(request, Linear()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    const std::vector<FieldViolation> wrong = FieldViolationsOf(status);
    return wrong.empty() ? "" : wrong[0].field;
  };
  EXPECT_EQ(field([](auto& r) { r.mutable_model()->set_width(0.5); }), "model.width");
  EXPECT_EQ(field([](auto& r) { r.mutable_model()->set_classes(10); }), "model.classes");
  EXPECT_EQ(field([](auto& r) { r.mutable_model()->add_input_shape(5); }), "model.input_shape");
  EXPECT_EQ(field([](auto& r) { r.mutable_model()->add_freeze("tail.*"); }), "model.freeze");
  EXPECT_EQ(field([](auto& r) { r.set_loss(static_cast<v1::Loss>(9)); }), "loss");
  EXPECT_EQ(field([](auto& r) {
              r.set_loss(v1::LOSS_BCE);
              r.set_ignore_index(1);
            }),
            "ignore_index");
}

TEST(PlanFromProto, GivesBackWhatABudgetChose) {
  v1::PlanRequest request = Request("mobilenet_v2");
  request.mutable_precision()->set_low_ratio(1);
  const int64_t low = PlanFromRequest(request)->memory().peak_bytes();
  request.mutable_precision()->clear_low_ratio();
  for (const double share : {1.2, 0.95}) {  // by the ratio alone, and by recomputing too
    request.mutable_precision()->set_memory_bytes(
        static_cast<int64_t>(share * static_cast<double>(low)));
    const v1::PlanRequest filled = NormalizePlanRequest(request).value();
    const v1::Plan message = PlanFromRequest(filled).value();
    EXPECT_EQ(message.recompute_size() > 0, share < 1);
    const Plan plan = PlanFromProto(message).value();
    EXPECT_EQ(PlanToProto(plan, filled).SerializeAsString(), message.SerializeAsString());
    EXPECT_EQ(plan.request.memory_bytes, request.precision().memory_bytes());
  }
}

TEST(PlanFromRequest, RefusesBudgetsAndRecipesThatGoWithNothingElse) {
  const auto refused = [](void (*change)(v1::PrecisionSpec&)) {
    v1::PlanRequest request = Request("squeezenet");
    change(*request.mutable_precision());
    const std::vector<FieldViolation> violations =
        FieldViolationsOf(PlanFromRequest(request).status());
    return violations.size() == 1 ? violations[0].field : "";
  };
  EXPECT_EQ(refused([](v1::PrecisionSpec& s) { s.set_memory_bytes(-1); }),
            "precision.memory_bytes");
  EXPECT_EQ(refused([](v1::PrecisionSpec& s) {
              s.set_memory_bytes(int64_t{1} << 40);
              s.set_low_ratio(0.5);
            }),
            "precision.low_ratio");
  EXPECT_EQ(refused([](v1::PrecisionSpec& s) {
              s.set_recipe(v1::RECIPE_BF16);
              s.set_policy(v1::POLICY_NAME_NONE);
            }),
            "precision.recipe");
}

TEST(PlanFromProto, GivesBackRecipeStorageAndOptimizer) {
  v1::PlanRequest request = Request("shufflenet_v2");
  request.mutable_precision()->set_recipe(v1::RECIPE_BF16);
  request.mutable_precision()->set_storage(v1::STORAGE_EMULATED);
  request.mutable_precision()->set_recompute(v1::RECOMPUTE_CHEAP);
  request.set_optimizer(v1::OPTIMIZER_ADAMW);
  request.set_optimizer_state(v1::OPTIMIZER_STATE_BF16);
  request = NormalizePlanRequest(request).value();
  const v1::Plan message = PlanFromRequest(request).value();
  const Plan plan = PlanFromProto(message).value();
  EXPECT_EQ(PlanToProto(plan, request).SerializeAsString(), message.SerializeAsString());
  EXPECT_EQ(plan.request.recipe, Recipe::kBf16);
  EXPECT_FALSE(plan.request.packed);
  EXPECT_EQ(plan.request.optimizer, OptimizerKind::kAdamW);
  EXPECT_EQ(plan.request.optimizer_state, OptimizerStateWidth::kBf16);
}

TEST(PlanFromProto, MakesTheForecastAnewAndDoesNotBelieveIt) {
  const v1::Plan message = PlanFromRequest(Request("resnet18")).value();
  v1::Plan mangled = message;
  mangled.mutable_memory()->set_peak_bytes(1);
  mangled.mutable_baselines()->Clear();
  const Plan plan = PlanFromProto(mangled).value();
  EXPECT_EQ(plan.memory.peak_bytes, message.memory().peak_bytes());
  EXPECT_EQ(plan.baselines.size(), 3u);
}

TEST(PlanFromProto, TakesFormatsFromTheMessageAndNotFromThePolicy) {
  v1::Plan message = PlanFromRequest(Request("resnet18")).value();
  v1::TensorPlan& tensor = *message.mutable_tensors(0);
  ASSERT_EQ(tensor.name(), "input");
  ASSERT_EQ(tensor.format(), "fp(6,9,0)");
  tensor.set_format("fp(4,3,4)");
  message.set_bits(message.bits() - 8 * tensor.elements());
  const Plan plan = PlanFromProto(message).value();
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
  const absl::Status status = PlanFromProto(message).status();
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
        Mangled{[](v1::Plan& p) { p.mutable_tensors(3)->set_format("fp(7,15,0)"); },
                "nothing between 16 bits and fp32"},
        Mangled{[](v1::Plan& p) { p.add_recompute("layer9.0.bn1"); }, "is not there"},
        Mangled{[](v1::Plan& p) { p.add_recompute("conv1"); }, "can't be made again"},
        Mangled{[](v1::Plan& p) { p.add_recompute("input"); }, "can't be made again"},
        Mangled{[](v1::Plan& p) { p.add_recompute("bn1"), p.add_recompute("bn1"); }, "given twice"},
        Mangled{[](v1::Plan& p) { p.mutable_groups()->RemoveLast(); }, "groups"},
        Mangled{[](v1::Plan& p) { p.mutable_groups(2)->set_id(3); }, "not in order"},
        Mangled{[](v1::Plan& p) { p.set_bits(1); }, "bits"},
        Mangled{[](v1::Plan& p) { p.mutable_model()->set_width(0.5); }, "another group or size"}));

}  // namespace
}  // namespace mantissa::planner
