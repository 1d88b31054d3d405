#include "planner/policies/ordered.h"

#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "planner/policies/assign.h"
#include "planner/policies/words.h"

namespace mantissa::planner {
namespace {

double Share(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

int64_t Sum(const std::vector<int64_t>& elements) {
  return std::accumulate(elements.begin(), elements.end(), int64_t{0});
}

}  // namespace

absl::StatusOr<Assignment> OrderedPolicy::Assign(const Graph& graph, const TensorTable& tensors,
                                                 int64_t batch_size) const {
  const std::vector<int64_t> elements = tensors.GroupElements(batch_size);
  const int64_t total = Sum(elements);
  std::vector<bool> low(elements.size(), false);
  // Shares are added one by one, as the paper's program does: at a ratio that falls on a sum the
  // choice is the same as its. A ratio of 1 means all, however the sum is rounded.
  double low_share = 0;
  for (const int group : GroupOrder(graph, tensors, batch_size)) {
    if (low_ratio_ < 1 && low_share >= low_ratio_) break;
    low[group] = true;
    low_share += Share(elements[group], total);
  }
  return AssignGroups(tensors, std::move(low));
}

std::vector<std::string> OrderedPolicy::Explain(const Graph& graph, const TensorTable& tensors,
                                                const Assignment& assignment,
                                                int64_t batch_size) const {
  const std::vector<int64_t> elements = tensors.GroupElements(batch_size);
  const int64_t total = Sum(elements);
  std::vector<std::string> of_group(elements.size());
  double before = 0;
  int place = 0;
  for (const int group : GroupOrder(graph, tensors, batch_size)) {
    const bool low = assignment.group_low[group];
    of_group[group] =
        absl::StrFormat("group %d (%s elements) is %s; %s", group, WithThousands(elements[group]),
                        Place(++place), Reason(low, before));
    if (low) before += Share(elements[group], total);
  }
  return ExplainGroups(tensors, assignment, of_group);
}

std::string OrderedPolicy::Reason(bool low, double low_share) const {
  if (memory_bytes_ > 0) {
    const std::string limit = HumanBytes(memory_bytes_);
    return low ? absl::StrCat("low because a step did not fit into ", limit, " before it")
               : absl::StrCat("high because a step fits into ", limit, " without it");
  }
  return absl::StrFormat("%s because the low ratio was %.4f %s %.4f before it",
                         low ? "low" : "high", low_share, low ? "<" : ">=", low_ratio_);
}

}  // namespace mantissa::planner
