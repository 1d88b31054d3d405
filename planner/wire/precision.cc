#include "planner/wire/precision.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "planner/policies/registry.h"

namespace mantissa::planner {
namespace {

constexpr absl::string_view kPrefix = "POLICY_NAME_";
constexpr double kDefaultPromotionThreshold = 0.01;
// Above 1 means never; the range ends somewhere so that a mistaken unit (percent) is found.
constexpr double kMaxPromotionThreshold = 2.0;

absl::Status UnknownPolicy(absl::string_view given) {
  return InvalidField("policy", given, absl::StrJoin(PolicyNames(), ", "),
                      "Use demotion for the paper's method.");
}

absl::Status CheckEnum(const char* field, int given, bool valid, absl::string_view allowed,
                       absl::string_view left_out) {
  if (valid) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(given), allowed,
                      absl::StrCat("Leave it out for ", left_out, "."));
}

absl::Status CheckAndFillEnums(v1::PrecisionSpec& spec) {
  RETURN_IF_ERROR(CheckEnum("rounding", spec.rounding(), v1::Rounding_IsValid(spec.rounding()),
                            "nearest_even, nearest_away, stochastic, reference", "nearest_even"));
  RETURN_IF_ERROR(CheckEnum("storage", spec.storage(), v1::Storage_IsValid(spec.storage()),
                            "packed, emulated", "packed"));
  RETURN_IF_ERROR(CheckEnum("recipe", spec.recipe(), v1::Recipe_IsValid(spec.recipe()),
                            "paper, bf16", "paper"));
  RETURN_IF_ERROR(CheckEnum("recompute", spec.recompute(), v1::Recompute_IsValid(spec.recompute()),
                            "auto, none, cheap", "auto"));
  if (spec.rounding() == v1::ROUNDING_UNSPECIFIED) spec.set_rounding(v1::ROUNDING_NEAREST_EVEN);
  if (spec.storage() == v1::STORAGE_UNSPECIFIED) spec.set_storage(v1::STORAGE_PACKED);
  if (spec.recipe() == v1::RECIPE_UNSPECIFIED) spec.set_recipe(v1::RECIPE_PAPER);
  if (spec.recompute() == v1::RECOMPUTE_UNSPECIFIED) spec.set_recompute(v1::RECOMPUTE_AUTO);
  return absl::OkStatus();
}

absl::Status CheckAndFillPromotion(v1::PrecisionSpec& spec) {
  if (!spec.has_promotion_threshold()) spec.set_promotion_threshold(kDefaultPromotionThreshold);
  const double threshold = spec.promotion_threshold();
  // Written so that NaN fails too.
  if (threshold > 0 && threshold <= kMaxPromotionThreshold) return absl::OkStatus();
  return InvalidField("promotion_threshold", absl::StrCat(threshold),
                      absl::StrCat("above 0.0 to ", kMaxPromotionThreshold),
                      "Use 0.01, the paper's, or 2 for no promotion.");
}

// Whether the low ratio can be anything, so that a budget may choose it.
bool TakesAnyRatio(v1::PolicyName policy) {
  return TakesLowRatio(policy) && policy != v1::POLICY_NAME_UNIFORM;
}

absl::Status CheckAndFillRatio(v1::PrecisionSpec& spec) {
  RETURN_IF_ERROR(MakePolicy(PolicyOptionsOf(spec)).status());
  const bool chosen_by_budget = spec.memory_bytes() > 0 && TakesAnyRatio(spec.policy());
  const std::optional<double> ratio = EffectiveLowRatio(PolicyOptionsOf(spec));
  if (ratio.has_value() && !chosen_by_budget) spec.set_low_ratio(*ratio);
  return absl::OkStatus();
}

}  // namespace

std::string PolicyNameText(v1::PolicyName policy) {
  if (policy == v1::POLICY_NAME_UNSPECIFIED) policy = v1::POLICY_NAME_DEMOTION;
  return absl::AsciiStrToLower(absl::StripPrefix(v1::PolicyName_Name(policy), kPrefix));
}

bool TakesLowRatio(v1::PolicyName policy) {
  return !v1::PolicyName_IsValid(policy) ||
         EffectiveLowRatio({.policy = PolicyNameText(policy)}).has_value();
}

absl::StatusOr<v1::PrecisionSpec> NormalizePrecision(const v1::PrecisionSpec& spec) {
  v1::PrecisionSpec filled = spec;
  if (!v1::PolicyName_IsValid(spec.policy())) return UnknownPolicy(absl::StrCat(spec.policy()));
  if (spec.policy() == v1::POLICY_NAME_UNSPECIFIED) filled.set_policy(v1::POLICY_NAME_DEMOTION);
  RETURN_IF_ERROR(CheckAndFillEnums(filled));
  RETURN_IF_ERROR(CheckAndFillPromotion(filled));
  RETURN_IF_ERROR(CheckAndFillRatio(filled));
  return filled;
}

PolicyOptions PolicyOptionsOf(const v1::PrecisionSpec& spec) {
  PolicyOptions options;
  options.policy = PolicyNameText(spec.policy());
  if (spec.has_low_ratio()) options.low_ratio = spec.low_ratio();
  options.seed = spec.seed();
  options.low_groups.assign(spec.low_groups().begin(), spec.low_groups().end());
  return options;
}

}  // namespace mantissa::planner
