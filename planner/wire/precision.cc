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
  if (!v1::Rounding_IsValid(spec.rounding())) {
    return InvalidField("rounding", absl::StrCat(spec.rounding()),
                        "nearest_even, nearest_away, stochastic, reference",
                        "Leave it out for nearest_even.");
  }
  if (spec.rounding() == v1::ROUNDING_UNSPECIFIED) filled.set_rounding(v1::ROUNDING_NEAREST_EVEN);
  if (!spec.has_promotion_threshold()) {
    filled.set_promotion_threshold(kDefaultPromotionThreshold);
  }
  const double threshold = filled.promotion_threshold();
  // Written so that NaN fails too.
  if (!(threshold > 0 && threshold <= kMaxPromotionThreshold)) {
    return InvalidField("promotion_threshold", absl::StrCat(threshold),
                        absl::StrCat("above 0.0 to ", kMaxPromotionThreshold),
                        "Use 0.01, the paper's, or 2 for no promotion.");
  }
  RETURN_IF_ERROR(MakePolicy(PolicyOptionsOf(filled)).status());
  const std::optional<double> ratio = EffectiveLowRatio(PolicyOptionsOf(filled));
  if (ratio.has_value()) filled.set_low_ratio(*ratio);
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
