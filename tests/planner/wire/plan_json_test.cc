#include "planner/wire/plan_json.h"

#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "planner/wire/plan_proto.h"

namespace mantissa::planner {
namespace {

using nlohmann::json;

v1::Plan PlanOf(v1::PolicyName policy) {
  v1::PlanRequest request;
  request.mutable_model()->set_model("builtin:mobilenet_v2");
  request.mutable_model()->set_width(0.5);
  request.mutable_model()->set_classes(100);
  request.mutable_precision()->set_policy(policy);
  return PlanFromRequest(request).value();
}

TEST(PlanToJson, WritesEveryPromisedFieldAsANumber) {
  const v1::Plan plan = PlanOf(v1::POLICY_NAME_DEMOTION);
  const json object = json::parse(PlanToJson(plan, /*with_tensors=*/false).dump());
  EXPECT_EQ(object["total_elements"], plan.total_elements());
  EXPECT_TRUE(object["total_elements"].is_number_integer());
  EXPECT_EQ(object["bits"], plan.bits());
  EXPECT_EQ(object["bits_high"], plan.bits_high());
  EXPECT_EQ(object["bits_fp32"], plan.bits_fp32());
  EXPECT_EQ(object["ratio_low_groups"].get<double>(), plan.ratio_low_groups());
  EXPECT_EQ(object["ratio_low_bits"].get<double>(), plan.ratio_low_bits());
  EXPECT_EQ(object["input_shape"], json({3, 32, 32}));
  EXPECT_EQ(object["policy"], "demotion");
  ASSERT_EQ(object["groups"].size(), plan.groups_size());
  EXPECT_EQ(
      object["groups"][4],
      json({{"id", 4}, {"elements", plan.groups(4).elements()}, {"low", plan.groups(4).low()}}));
  EXPECT_EQ(object["recipe"], "paper");
  EXPECT_EQ(object["storage"], "packed");
  EXPECT_EQ(object["recompute"], "auto");
  EXPECT_EQ(object["optimizer"], "sgd");
  EXPECT_EQ(object["optimizer_state"], "fp32");
  EXPECT_EQ(object["loss"], "cross-entropy");
  EXPECT_EQ(object["ignore_index"], -100);
  EXPECT_EQ(object["accumulate_batches"], 1);
  EXPECT_TRUE(object["freeze"].empty());
  EXPECT_FALSE(object.contains("memory_bytes"));
  EXPECT_EQ(object["memory"]["peak_bytes"], plan.memory().peak_bytes());
  EXPECT_EQ(object["memory"]["saved_for_backward_bytes"], plan.memory().saved_for_backward_bytes());
  EXPECT_EQ(object["memory"]["peak"]["phase"], "backward");
  EXPECT_EQ(object["memory"]["peak"]["bytes"]["total"], plan.memory().peak_bytes());
  EXPECT_EQ(object["baselines"][0],
            json({{"name", "fp32"}, {"peak_bytes", plan.baselines(0).peak_bytes()}}));
  EXPECT_EQ(object["recomputed"], json::array());
  EXPECT_FALSE(object.contains("timeline"));
  EXPECT_FALSE(object.contains("tensors"));
  EXPECT_FALSE(object.contains("seed"));
}

TEST(PlanToJson, ListsTensorsWhenAskedTo) {
  const v1::Plan plan = PlanOf(v1::POLICY_NAME_OPERATOR);
  const json object = json::parse(PlanToJson(plan, /*with_tensors=*/true).dump());
  EXPECT_FALSE(object.contains("low_ratio"));
  ASSERT_EQ(object["tensors"].size(), plan.tensors_size());
  EXPECT_EQ(object["tensors"][0], json({{"name", "input"},
                                        {"kind", "v"},
                                        {"group", 0},
                                        {"elements", 128 * 3 * 32 * 32},
                                        {"format", "fp(6,9,0)"}}));
  ASSERT_EQ(object["timeline"].size(), plan.memory().timeline_size());
  EXPECT_EQ(object["timeline"][0]["phase"], "forward");
  EXPECT_EQ(object["timeline"].back()["phase"], "update");
  EXPECT_EQ(object["timeline"].back()["operator"], "");
}

TEST(PlanToJson, TellsBudgetAndRecomputedOperators) {
  v1::Plan plan;
  plan.mutable_precision()->set_memory_bytes(int64_t{8} << 30);
  plan.mutable_memory()->set_peak_bytes(1);
  plan.add_recompute("bn1");
  const json object = json::parse(PlanToJson(plan, /*with_tensors=*/false).dump());
  EXPECT_EQ(object["memory_bytes"], int64_t{8} << 30);
  EXPECT_EQ(object["recomputed"], json({"bn1"}));
}

}  // namespace
}  // namespace mantissa::planner
