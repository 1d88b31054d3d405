#include "client/cli/precision.h"

#include "absl/strings/str_cat.h"
#include "planner/wire/precision.h"

namespace mantissa::cli {

void DropUnusedRatio(Io& io, v1::PrecisionSpec* precision) {
  const v1::PolicyName policy = precision->policy();
  const bool in_range = precision->low_ratio() >= 0 && precision->low_ratio() <= 1;
  if (planner::TakesLowRatio(policy) || !precision->has_low_ratio() || !in_range) return;
  precision->clear_low_ratio();
  io.Err(absl::StrCat("--low-ratio has no effect with --policy ", planner::PolicyNameText(policy),
                      " and is left out.\n"));
}

}  // namespace mantissa::cli
