#include "server/engine/promotion.h"

#include <algorithm>
#include <utility>

#include "kernels/formats/format.h"

namespace mantissa::engine {

Promoter::Promoter(planner::Plan& plan, int64_t batch_size, double threshold)
    : plan_(plan),
      batch_size_(batch_size),
      threshold_(static_cast<float>(threshold)),
      cost_(planner::CostOf(plan.tensors, plan.assignment.formats, plan.assignment.group_low,
                            batch_size)) {}

bool Promoter::IsCandidate(int tensor) const {
  return plan_.assignment.formats[tensor].bits() < planner::HighFormat(plan_.request.recipe).bits();
}

void Promoter::Observe(int tensor, int64_t overflow, int64_t elements) {
  const float ratio = static_cast<float>(overflow) / static_cast<float>(elements);
  max_ratio_ = std::max<double>(max_ratio_, ratio);
  if (overflow > 0 && ratio >= threshold_ && IsCandidate(tensor)) {
    candidates_.push_back({tensor, ratio});
  }
}

Promoter::Outcome Promoter::Promote() {
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
    return std::pair(a.tensor, -a.ratio) < std::pair(b.tensor, -b.ratio);
  });
  std::vector<int> tensors;
  Outcome outcome{.max_overflow_ratio = std::exchange(max_ratio_, 0)};
  for (const Candidate& candidate : candidates_) {
    const planner::Tensor& tensor = plan_.tensors.tensors()[candidate.tensor];
    // Seen in several batches of a step: the first, which has the largest ratio, stands for all.
    if (!tensors.empty() && tensors.back() == candidate.tensor) continue;
    tensors.push_back(candidate.tensor);
    outcome.promoted.push_back({tensor.kind, tensor.name, candidate.ratio});
  }
  candidates_.clear();
  if (!tensors.empty()) Restore(tensors);
  return outcome;
}

void Promoter::Restore(const std::vector<int>& tensors) {
  for (const int tensor : tensors) {
    plan_.assignment.formats[tensor] = planner::HighFormat(plan_.request.recipe);
    promoted_.push_back(tensor);
  }
  cost_ = planner::CostOf(plan_.tensors, plan_.assignment.formats, plan_.assignment.group_low,
                          batch_size_);
}

}  // namespace mantissa::engine
