#include "planner/policies/budget.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "planner/policies/words.h"
#include "planner/schedule/schedule.h"

namespace mantissa::planner {
namespace {

class Search {
 public:
  Search(const TensorTable& tensors, const MemoryModel& model, int64_t batch_size,
         const kernels::Format& high)
      : tensors_(tensors),
        model_(model),
        high_(high),
        elements_(tensors.GroupElements(batch_size)),
        members_(tensors.group_count()),
        formats_(tensors.tensors().size(), high) {
    for (size_t i = 0; i < tensors.tensors().size(); ++i) {
      members_[tensors.tensors()[i].group].push_back(static_cast<int>(i));
    }
  }

  std::vector<int> Order() && {
    std::vector<int> order, left;
    for (int group = 0; group < tensors_.group_count(); ++group) left.push_back(group);
    while (!left.empty()) {
      const auto best = left.begin() + BestOf(left);
      SetLow(*best, true);
      order.push_back(*best);
      left.erase(best);
    }
    return order;
  }

 private:
  // Bytes an element made low: off the peak, and off the moment that is the peak now.
  using Gain = std::pair<double, double>;

  int BestOf(const std::vector<int>& groups) {
    const std::vector<int64_t> now = model_.TotalBytes(formats_);
    const auto peak = std::max_element(now.begin(), now.end());
    int best = 0;
    Gain most = {-1, -1};
    for (size_t i = 0; i < groups.size(); ++i) {
      SetLow(groups[i], true);
      const std::vector<int64_t> then = model_.TotalBytes(formats_);
      SetLow(groups[i], false);
      const auto elements = static_cast<double>(elements_[groups[i]]);
      const Gain gain = {
          static_cast<double>(*peak - *std::max_element(then.begin(), then.end())) / elements,
          static_cast<double>(*peak - then[peak - now.begin()]) / elements};
      if (gain <= most) continue;
      most = gain;
      best = static_cast<int>(i);
    }
    return best;
  }

  void SetLow(int group, bool low) {
    for (const int tensor : members_[group]) {
      const kernels::Format format = LowFormat(tensors_.tensors()[tensor].kind);
      formats_[tensor] = low && format != kernels::kHigh ? format : high_;
    }
  }

  const TensorTable& tensors_;
  const MemoryModel& model_;
  const kernels::Format high_;
  const std::vector<int64_t> elements_;    // by group
  std::vector<std::vector<int>> members_;  // by group: tensors
  std::vector<kernels::Format> formats_;   // by tensor, of the groups taken so far
};

}  // namespace

std::vector<int> Budget::GroupOrder(const Graph& graph, const TensorTable& tensors,
                                    int64_t batch_size) const {
  const Schedule schedule = MakeSchedule(graph, tensors, {});
  const MemoryModel model(graph, tensors, schedule, batch_size, memory_);
  const bool paper = memory_.tiles.wide == kernels::kFp32;
  return Search(tensors, model, batch_size, paper ? kernels::kHigh : memory_.tiles.wide).Order();
}

std::string Budget::Place(int place) const {
  return absl::StrCat("the ", Ordinal(place), " in the order of bytes off the peak an element");
}

}  // namespace mantissa::planner
