#include "planner/wire/precision.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planner/policies/registry.h"

namespace mantissa::planner {
namespace {

TEST(TakesLowRatio, IsWhetherNormalizingFillsItIn) {
  for (int number = 1; number < v1::PolicyName_ARRAYSIZE; ++number) {
    v1::PrecisionSpec spec;
    spec.set_policy(static_cast<v1::PolicyName>(number));
    if (spec.policy() == v1::POLICY_NAME_EXPLICIT) spec.add_low_groups(0);
    const auto filled = NormalizePrecision(spec);
    ASSERT_TRUE(filled.ok()) << filled.status();
    EXPECT_EQ(TakesLowRatio(spec.policy()), filled->has_low_ratio()) << number;
  }
}

TEST(PolicyNameText, NamesEveryPolicyAsTheRegistryDoes) {
  std::vector<std::string> names;
  for (int policy = 1; policy < v1::PolicyName_ARRAYSIZE; ++policy) {
    names.push_back(PolicyNameText(static_cast<v1::PolicyName>(policy)));
  }
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(PolicyNames()));
  EXPECT_EQ(PolicyNameText(v1::POLICY_NAME_UNSPECIFIED), "demotion");
}

TEST(NormalizePrecision, FillsTheDocumentedDefaults) {
  const v1::PrecisionSpec filled = NormalizePrecision({}).value();
  EXPECT_EQ(filled.policy(), v1::POLICY_NAME_DEMOTION);
  EXPECT_EQ(filled.low_ratio(), 0.5);
  EXPECT_EQ(filled.promotion_threshold(), 0.01);
  EXPECT_EQ(filled.rounding(), v1::ROUNDING_NEAREST_EVEN);
  EXPECT_EQ(filled.storage(), v1::STORAGE_PACKED);
  EXPECT_EQ(filled.recipe(), v1::RECIPE_PAPER);
  EXPECT_EQ(filled.recompute(), v1::RECOMPUTE_AUTO);
  EXPECT_EQ(filled.memory_bytes(), 0);
  v1::PrecisionSpec spec;
  spec.set_policy(v1::POLICY_NAME_UNIFORM);
  EXPECT_EQ(NormalizePrecision(spec)->low_ratio(), 1);
  spec.set_policy(v1::POLICY_NAME_NONE);
  EXPECT_FALSE(NormalizePrecision(spec)->has_low_ratio());
}

TEST(NormalizePrecision, KeepsAnExplicitZeroRatio) {
  v1::PrecisionSpec spec;
  spec.set_low_ratio(0);
  EXPECT_EQ(NormalizePrecision(spec)->low_ratio(), 0);
}

TEST(NormalizePrecision, ChangesNothingTheSecondTime) {
  for (int policy = 0; policy < v1::PolicyName_ARRAYSIZE; ++policy) {
    for (const int64_t budget : {0, 1 << 30}) {
      v1::PrecisionSpec spec;
      spec.set_policy(static_cast<v1::PolicyName>(policy));
      spec.set_memory_bytes(budget);
      if (policy == v1::POLICY_NAME_EXPLICIT) spec.add_low_groups(1);
      const v1::PrecisionSpec once = NormalizePrecision(spec).value();
      EXPECT_EQ(NormalizePrecision(once)->SerializeAsString(), once.SerializeAsString());
    }
  }
}

TEST(NormalizePrecision, LeavesTheRatioToABudgetWhereThePolicyTakesAny) {
  for (const auto policy : {v1::POLICY_NAME_DEMOTION, v1::POLICY_NAME_BUDGET,
                            v1::POLICY_NAME_INCREASING, v1::POLICY_NAME_RANDOM}) {
    v1::PrecisionSpec spec;
    spec.set_policy(policy);
    EXPECT_EQ(NormalizePrecision(spec)->low_ratio(), 0.5) << policy;
    spec.set_memory_bytes(1);
    EXPECT_FALSE(NormalizePrecision(spec)->has_low_ratio()) << policy;
  }
  v1::PrecisionSpec spec;
  spec.set_policy(v1::POLICY_NAME_UNIFORM);
  spec.set_memory_bytes(1);
  spec.set_low_ratio(1);
  EXPECT_EQ(NormalizePrecision(spec)->low_ratio(), 1);
}

struct BadSpec {
  void (*change)(v1::PrecisionSpec& spec);
  const char* field;
};
class BadSpecTest : public testing::TestWithParam<BadSpec> {};

TEST_P(BadSpecTest, IsRefusedWithItsField) {
  v1::PrecisionSpec spec;
  GetParam().change(spec);
  const absl::Status status = NormalizePrecision(spec).status();
  ASSERT_EQ(FieldViolationsOf(status).size(), 1) << status;
  EXPECT_EQ(FieldViolationsOf(status)[0].field, GetParam().field);
}

INSTANTIATE_TEST_SUITE_P(
    AllFields, BadSpecTest,
    testing::Values(
        BadSpec{[](v1::PrecisionSpec& s) { s.set_policy(static_cast<v1::PolicyName>(77)); },
                "policy"},
        BadSpec{[](v1::PrecisionSpec& s) { s.set_rounding(static_cast<v1::Rounding>(77)); },
                "rounding"},
        BadSpec{[](v1::PrecisionSpec& s) { s.set_storage(static_cast<v1::Storage>(77)); },
                "storage"},
        BadSpec{[](v1::PrecisionSpec& s) { s.set_recipe(static_cast<v1::Recipe>(-1)); }, "recipe"},
        BadSpec{[](v1::PrecisionSpec& s) { s.set_recompute(static_cast<v1::Recompute>(4)); },
                "recompute"},
        BadSpec{[](v1::PrecisionSpec& s) { s.set_low_ratio(1.5); }, "low_ratio"},
        BadSpec{[](v1::PrecisionSpec& s) { s.set_promotion_threshold(0); }, "promotion_threshold"},
        BadSpec{[](v1::PrecisionSpec& s) { s.set_promotion_threshold(2.5); },
                "promotion_threshold"},
        BadSpec{[](v1::PrecisionSpec& s) { s.set_promotion_threshold(std::nan("")); },
                "promotion_threshold"},
        BadSpec{[](v1::PrecisionSpec& s) { s.set_policy(v1::POLICY_NAME_EXPLICIT); }, "low_groups"},
        BadSpec{[](v1::PrecisionSpec& s) { s.add_low_groups(1); }, "low_groups"}));

}  // namespace
}  // namespace mantissa::planner
