#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "planner/fit/fit.h"
#include "planner/policies/assign.h"
#include "planner/policies/words.h"

namespace mantissa::planner {
namespace {

using Formats = std::vector<kernels::Format>;

bool PeakFits(const FitRequest& request, const std::vector<bool>& recompute,
              const Formats& formats) {
  const Schedule schedule = MakeSchedule(request.graph, request.tensors, {.recompute = recompute});
  return MemoryModel(request.graph, request.tensors, schedule, request.batch_size, request.memory)
             .PeakBytes(formats) <= request.memory_bytes;
}

// Whether the planner would find a way: without recomputing, with what was found best for another
// size, or with all of it.
bool Allows(const FitRequest& request, const Fitted& fitted, const Formats& formats) {
  if (PeakFits(request, {}, formats)) return true;
  if (request.recompute == Recompute::kNone) return false;
  if (PeakFits(request, fitted.recompute, formats)) return true;
  const RecomputeSearch search(request.graph, request.tensors, formats, request.batch_size,
                               request.memory);
  return PeakFits(request, search.Everything(), formats);
}

// 0 if none fits.
int64_t LargestBatch(FitRequest request, const Fitted& fitted) {
  int64_t fits = 0, too_large = request.batch_size;
  while (too_large - fits > 1) {
    request.batch_size = fits + (too_large - fits) / 2;
    (Allows(request, fitted, fitted.assignment.formats) ? fits : too_large) = request.batch_size;
  }
  return fits;
}

// The widest state that fits: "bf16", "int8", or "".
std::string NarrowerState(FitRequest request, const Fitted& fitted) {
  constexpr std::pair<OptimizerStateWidth, const char*> kNarrower[] = {
      {OptimizerStateWidth::kBf16, "bf16"}, {OptimizerStateWidth::kInt8, "int8"}};
  const OptimizerStateWidth now = request.memory.optimizer_state;
  for (const auto& [width, name] : kNarrower) {
    if (width <= now) continue;
    request.memory.optimizer_state = width;
    if (Allows(request, fitted, fitted.assignment.formats)) return name;
  }
  return "";
}

bool RecomputingFits(FitRequest request, const Fitted& fitted) {
  if (request.recompute != Recompute::kNone) return false;
  request.recompute = Recompute::kAuto;
  return Allows(request, fitted, fitted.assignment.formats);
}

bool DemotionFits(const FitRequest& request, const Fitted& fitted) {
  const std::vector<bool> all(request.tensors.group_count(), true);
  return Allows(request, fitted,
                InRecipe(AssignGroups(request.tensors, all).formats, request.high));
}

}  // namespace

absl::Status Shortfall(const FitRequest& request, const Fitted& fitted) {
  std::vector<std::string> remedies;
  if (!fitted.in_order && DemotionFits(request, fitted)) remedies.push_back("policy demotion");
  if (RecomputingFits(request, fitted)) remedies.push_back("recomputing (recompute auto)");
  const std::string state = NarrowerState(request, fitted);
  if (!state.empty()) remedies.push_back(absl::StrCat("optimizer state ", state));
  const int64_t batch_size = LargestBatch(request, fitted);
  if (batch_size > 0) remedies.push_back(absl::StrCat("batch size ", batch_size));
  const std::vector<bool>& recompute = fitted.recompute;
  const bool recomputes = std::find(recompute.begin(), recompute.end(), true) != recompute.end();
  return absl::FailedPreconditionError(absl::StrCat(
      "a training step needs ", HumanBytes(fitted.peak_bytes), " of tensors (",
      fitted.in_order ? "every group low" : absl::StrCat("policy ", request.policy_name),
      recomputes ? ", cheap operators recomputed" : "", ", batch size ", request.batch_size,
      "); precision.memory_bytes allows ", HumanBytes(request.memory_bytes), ", which is ",
      HumanBytes(fitted.peak_bytes - request.memory_bytes), " less. ",
      remedies.empty()
          ? "Not even batch size 1 fits: use a smaller width or model."
          : absl::StrCat("Each of these would fit: ", absl::StrJoin(remedies, "; "), ".")));
}

}  // namespace mantissa::planner
