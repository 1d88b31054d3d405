#include "planner/policies/budget.h"

#include <algorithm>
#include <numeric>
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

  // `limit_bytes` 0: none.
  std::vector<int> Order(int64_t limit_bytes) && {
    std::vector<int> order, left(tensors_.group_count());
    std::iota(left.begin(), left.end(), 0);
    while (!left.empty()) {
      const bool over = model_.PeakBytes(formats_) > limit_bytes;
      const auto next = left.begin() + NextOf(left, over ? limit_bytes : 0);
      SetLow(*next, true);
      order.push_back(*next);
      left.erase(next);
      if (over && model_.PeakBytes(formats_) <= limit_bytes) PutBack(limit_bytes, order, left);
    }
    return order;
  }

 private:
  // Bytes an element made low: off the peak, and off the moment that is the peak now.
  using Gain = std::pair<double, double>;

  // Index into `groups`.
  int NextOf(const std::vector<int>& groups, int64_t limit_bytes) {
    const std::vector<int64_t> now = model_.TotalBytes(formats_);
    const auto peak = std::max_element(now.begin(), now.end());
    int best = 0, smallest = -1;
    Gain most = {-1, -1};
    for (size_t i = 0; i < groups.size(); ++i) {
      SetLow(groups[i], true);
      const std::vector<int64_t> then = model_.TotalBytes(formats_);
      SetLow(groups[i], false);
      const int64_t new_peak = *std::max_element(then.begin(), then.end());
      const int64_t elements = elements_[groups[i]];
      if (new_peak <= limit_bytes && (smallest < 0 || elements < elements_[groups[smallest]])) {
        smallest = static_cast<int>(i);
      }
      const Gain gain = {
          static_cast<double>(*peak - new_peak) / static_cast<double>(elements),
          static_cast<double>(*peak - then[peak - now.begin()]) / static_cast<double>(elements)};
      if (gain <= most) continue;
      most = gain;
      best = static_cast<int>(i);
    }
    return smallest >= 0 ? smallest : best;
  }

  // Those of `taken` without which a step fits too.
  void PutBack(int64_t limit_bytes, std::vector<int>& taken, std::vector<int>& left) {
    std::vector<int> largest_first = taken;
    std::stable_sort(largest_first.begin(), largest_first.end(),
                     [&](int a, int b) { return elements_[a] > elements_[b]; });
    for (const int group : largest_first) {
      SetLow(group, false);
      if (model_.PeakBytes(formats_) > limit_bytes) {
        SetLow(group, true);
        continue;
      }
      taken.erase(std::find(taken.begin(), taken.end(), group));
      left.insert(std::lower_bound(left.begin(), left.end(), group), group);
    }
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
  const MemoryModel model(graph, tensors, schedule, batch_size, context_.memory);
  const kernels::Format& wide = context_.memory.tiles.wide;
  const bool paper = wide == kernels::kFp32;
  return Search(tensors, model, batch_size, paper ? kernels::kHigh : wide)
      .Order(context_.memory_bytes);
}

std::string Budget::Place(int place) const {
  return absl::StrCat("the ", Ordinal(place), " in the order of bytes off the peak an element");
}

}  // namespace mantissa::planner
