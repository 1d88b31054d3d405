#include "planner/policies/budget.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "planner/policies/words.h"
#include "planner/schedule/schedule.h"

namespace mantissa::planner {
namespace {

// Of more groups than these not each is tried: their bytes at the peak say which are next.
constexpr int kMostTried = 128;

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
    std::vector<int> taken, left(tensors_.group_count());
    std::iota(left.begin(), left.end(), 0);
    if (tensors_.group_count() > kMostTried) return OrderBySize(std::move(left));
    if (limit_bytes > 0 && model_.PeakBytes(formats_) > limit_bytes) {
      TakeUntilFits(limit_bytes, taken, left);
    }
    while (!left.empty()) Take(NextOf(left, 0).most, taken, left);
    return taken;
  }

 private:
  // Bytes an element made low: off the peak, and off the moment that is the peak now.
  using Gain = std::pair<double, double>;

  struct Next {
    int most = -1;    // the group with the most gain
    int enough = -1;  // the smallest that alone is enough; -1: none is
  };

  Next NextOf(const std::vector<int>& groups, int64_t limit_bytes) {
    const std::vector<int64_t> now = model_.TotalBytes(formats_);
    const auto peak = std::max_element(now.begin(), now.end());
    Next next;
    Gain most = {-1, -1};
    for (const int group : groups) {
      SetLow(group, true);
      const std::vector<int64_t> then = model_.TotalBytes(formats_);
      SetLow(group, false);
      const int64_t new_peak = *std::max_element(then.begin(), then.end());
      const bool smaller = next.enough < 0 || elements_[group] < elements_[next.enough];
      if (new_peak <= limit_bytes && smaller) next.enough = group;
      const auto elements = static_cast<double>(elements_[group]);
      const Gain gain = {static_cast<double>(*peak - new_peak) / elements,
                         static_cast<double>(*peak - then[peak - now.begin()]) / elements};
      if (gain <= most) continue;
      most = gain;
      next.most = group;
    }
    return next;
  }

  // The groups with the most bytes an element at the peak as it is now, a few at a time.
  std::vector<int> OrderBySize(std::vector<int> left) {
    const size_t at_a_time = tensors_.group_count() / kMostTried + 1;
    std::vector<int> taken;
    while (!left.empty()) {
      const std::vector<double> gains = GainsAtPeak();
      std::stable_sort(left.begin(), left.end(), [&](int a, int b) { return gains[a] > gains[b]; });
      for (size_t i = 0; i < at_a_time && !left.empty(); ++i) Take(left.front(), taken, left);
    }
    return taken;
  }

  // By group: bytes off the peak as it is now an element.
  std::vector<double> GainsAtPeak() const {
    const std::vector<int64_t> now = model_.TotalBytes(formats_);
    const std::vector<int64_t> stored =
        model_.StoredElements(std::max_element(now.begin(), now.end()) - now.begin(), formats_);
    std::vector<double> gains;
    for (size_t group = 0; group < members_.size(); ++group) {
      int64_t bytes = 0;
      for (const int tensor : members_[group]) {
        bytes += stored[tensor] * (formats_[tensor].bytes() - FormatIn(tensor, true).bytes());
      }
      gains.push_back(static_cast<double>(bytes) / static_cast<double>(elements_[group]));
    }
    return gains;
  }

  void Take(int group, std::vector<int>& taken, std::vector<int>& left) {
    SetLow(group, true);
    taken.push_back(group);
    left.erase(std::find(left.begin(), left.end(), group));
  }

  // A beginning of the greedy order and one group that is enough with it, the fewest elements in
  // all. Takes nothing but that; all where nothing is enough.
  void TakeUntilFits(int64_t limit_bytes, std::vector<int>& taken, std::vector<int>& left) {
    const std::vector<int> all = left;
    int64_t elements = 0, fewest = -1;
    std::vector<int> best;
    while (!left.empty()) {
      const Next next = NextOf(left, limit_bytes);
      if (next.enough >= 0 && (fewest < 0 || elements + elements_[next.enough] < fewest)) {
        fewest = elements + elements_[next.enough];
        best = taken;
        best.push_back(next.enough);
      }
      if (next.enough == next.most && next.enough >= 0) break;
      elements += elements_[next.most];
      Take(next.most, taken, left);
      if (model_.PeakBytes(formats_) <= limit_bytes) break;
    }
    if (best.empty()) return;
    for (const int group : taken) SetLow(group, false);
    taken.clear();
    left = all;
    for (const int group : best) Take(group, taken, left);
    PutBack(limit_bytes, taken, left);
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
    for (const int tensor : members_[group]) formats_[tensor] = FormatIn(tensor, low);
  }

  kernels::Format FormatIn(int tensor, bool low) const {
    const kernels::Format format = LowFormat(tensors_.tensors()[tensor].kind);
    return low && format != kernels::kHigh ? format : high_;
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
