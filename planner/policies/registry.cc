#include "planner/policies/registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "planner/policies/autocast.h"
#include "planner/policies/budget.h"
#include "planner/policies/demotion.h"
#include "planner/policies/explicit_groups.h"
#include "planner/policies/increasing.h"
#include "planner/policies/none.h"
#include "planner/policies/operator_based.h"
#include "planner/policies/random_order.h"
#include "planner/policies/uniform.h"

namespace mantissa::planner {
namespace {

enum class RatioUse { kNone, kZeroOrOne, kAny };

struct Row {
  const char* name;
  RatioUse ratio_use;
  double default_ratio;
  std::unique_ptr<Policy> (*make)(const PolicyOptions& options, double ratio,
                                  const PolicyContext& context);
};

template <typename T>
std::unique_ptr<Policy> Make(const PolicyOptions&, double, const PolicyContext&) {
  return std::make_unique<T>();
}

template <typename T>
std::unique_ptr<Policy> MakeOrdered(const PolicyOptions&, double ratio,
                                    const PolicyContext& context) {
  return std::make_unique<T>(ratio, context);
}

constexpr char kExplicit[] = "explicit";

constexpr Row kRows[] = {
    {"none", RatioUse::kNone, 0, Make<None>},
    {"demotion", RatioUse::kAny, 0.5, MakeOrdered<Demotion>},
    {"budget", RatioUse::kAny, 0.5, MakeOrdered<Budget>},
    {"uniform", RatioUse::kZeroOrOne, 1,
     [](const PolicyOptions&, double ratio, const PolicyContext&) -> std::unique_ptr<Policy> {
       return std::make_unique<Uniform>(ratio == 1);
     }},
    {"operator", RatioUse::kNone, 0, Make<OperatorBased>},
    {"autocast", RatioUse::kNone, 0, Make<Autocast>},
    {"increasing", RatioUse::kAny, 0.5, MakeOrdered<Increasing>},
    {"random", RatioUse::kAny, 0.5,
     [](const PolicyOptions& options, double ratio,
        const PolicyContext& context) -> std::unique_ptr<Policy> {
       return std::make_unique<RandomOrder>(ratio, context, options.seed);
     }},
    {kExplicit, RatioUse::kNone, 0,
     [](const PolicyOptions& options, double, const PolicyContext&) -> std::unique_ptr<Policy> {
       return std::make_unique<ExplicitGroups>(options.low_groups);
     }},
};

const Row* FindRow(const std::string& name) {
  for (const Row& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

absl::Status CheckRatio(const Row& row, const PolicyOptions& options) {
  if (!options.low_ratio.has_value()) return absl::OkStatus();
  const double ratio = *options.low_ratio;
  const std::string given = absl::StrCat(ratio);
  switch (row.ratio_use) {
    case RatioUse::kNone:
      return InvalidField("low_ratio", given, absl::StrCat("nothing with policy ", row.name),
                          "Leave it out, or use policy demotion.");
    case RatioUse::kZeroOrOne:
      if (ratio == 0 || ratio == 1) return absl::OkStatus();
      return InvalidField("low_ratio", given, absl::StrCat("0 or 1 with policy ", row.name),
                          "Use policy demotion to put a part of the elements in low precision.");
    case RatioUse::kAny:
      // Written so that NaN fails too.
      if (ratio >= 0 && ratio <= 1) return absl::OkStatus();
      return InvalidField("low_ratio", given, "0.0 to 1.0",
                          "Use 0.5 to put half of the elements in low precision.");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Policy>> MakePolicy(const PolicyOptions& options,
                                                   const PolicyContext& context) {
  const Row* row = FindRow(options.policy);
  if (row == nullptr) {
    return InvalidField("policy", absl::StrCat("\"", options.policy, "\""),
                        absl::StrJoin(PolicyNames(), ", "), "Use demotion for the paper's method.");
  }
  RETURN_IF_ERROR(CheckRatio(*row, options));
  const bool is_explicit = row->name == kExplicit;
  if (!is_explicit && !options.low_groups.empty()) {
    return InvalidField("low_groups", absl::StrCat(options.low_groups.size(), " groups"),
                        absl::StrCat("nothing with policy ", row->name),
                        "Leave it out, or use policy explicit.");
  }
  if (is_explicit && options.low_groups.empty()) {
    return InvalidField("low_groups", "empty", "at least one group id with policy explicit",
                        "Use policy uniform with low ratio 0 for no low group.");
  }
  return row->make(options, options.low_ratio.value_or(row->default_ratio), context);
}

std::vector<std::string> PolicyNames() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.name);
  return names;
}

std::optional<double> EffectiveLowRatio(const PolicyOptions& options) {
  const Row* row = FindRow(options.policy);
  if (row == nullptr || row->ratio_use == RatioUse::kNone) return std::nullopt;
  return options.low_ratio.value_or(row->default_ratio);
}

}  // namespace mantissa::planner
