#include "planner/fit/recompute.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace mantissa::planner {
namespace {

// Trials of a search, of graphs of so many nodes in all; a few at least.
constexpr size_t kTrialWork = 100'000;
constexpr size_t kFewestTrials = 16;

}  // namespace

RecomputeSearch::RecomputeSearch(const Graph& graph, const TensorTable& tensors,
                                 const std::vector<kernels::Format>& formats, int64_t batch_size,
                                 const MemoryOptions& options)
    : graph_(graph),
      tensors_(tensors),
      formats_(formats),
      batch_size_(batch_size),
      options_(options) {
  FindCandidates();
}

void RecomputeSearch::FindCandidates() {
  const std::vector<bool> can = CanRecompute(graph_, tensors_);
  std::vector<bool> is_saved(graph_.values().size(), false);
  for (const ValueId saved : MakeSchedule(graph_, tensors_, {}).saved) {
    is_saved[tensors_.Resolve(saved)] = true;
  }
  for (ValueId value = 0; value < static_cast<ValueId>(can.size()); ++value) {
    if (!can[value] || !is_saved[value]) continue;
    Candidate candidate{.values = {value}};
    for (size_t i = 0; i < candidate.values.size(); ++i) {
      const NodeId node = graph_.value(candidate.values[i]).producer;
      candidate.elements += Elements(graph_.value(candidate.values[i]).shape, batch_size_);
      for (const ValueId input : TensorInputs(graph_, node)) {
        const ValueId source = tensors_.Resolve(input);
        if (!can[source] || is_saved[source]) continue;
        const std::vector<ValueId>& values = candidate.values;
        if (std::find(values.begin(), values.end(), source) != values.end()) continue;
        candidate.values.push_back(source);
      }
    }
    const int v = tensors_.Find(TensorKind::kActivation, value);
    candidate.bytes = Elements(graph_.value(value).shape, batch_size_) * formats_[v].bytes();
    candidates_.push_back(std::move(candidate));
  }
  const auto cost = [](const Candidate& candidate) {
    return static_cast<double>(candidate.elements) / static_cast<double>(candidate.bytes);
  };
  std::sort(candidates_.begin(), candidates_.end(), [&](const Candidate& a, const Candidate& b) {
    return std::tuple(cost(a), -a.bytes, a.values[0]) < std::tuple(cost(b), -b.bytes, b.values[0]);
  });
}

std::vector<bool> RecomputeSearch::Choice(const std::vector<bool>& taken) const {
  std::vector<bool> recompute(graph_.values().size(), false);
  for (size_t i = 0; i < candidates_.size(); ++i) {
    if (!taken[i]) continue;
    for (const ValueId value : candidates_[i].values) recompute[value] = true;
  }
  return recompute;
}

// Candidates are tried one by one, or in blocks where there are so many that it would take long.
size_t RecomputeSearch::BlockSize() const {
  const size_t trials =
      std::max(kFewestTrials, kTrialWork / std::max<size_t>(1, graph_.nodes().size()));
  return (candidates_.size() + trials - 1) / trials;
}

std::vector<bool> RecomputeSearch::FewestThatFit(int64_t limit_bytes) const {
  std::vector<bool> taken(candidates_.size(), false);
  size_t count = 0;
  while (PeakBytes(Choice(taken)) > limit_bytes) {
    if (count == candidates_.size()) return LowestPeak();
    const size_t end = std::min(count + BlockSize(), candidates_.size());
    while (count < end) taken[count++] = true;
  }
  // Those that were taken in vain, the dearest first.
  while (count > 0) {
    const size_t end = std::exchange(count, count - std::min(count, BlockSize()));
    std::fill(taken.begin() + count, taken.begin() + end, false);
    if (PeakBytes(Choice(taken)) <= limit_bytes) continue;
    std::fill(taken.begin() + count, taken.begin() + end, true);
  }
  return Choice(taken);
}

std::vector<bool> RecomputeSearch::LowestPeak() const {
  std::vector<bool> taken(candidates_.size(), true);
  int64_t peak = PeakBytes(Choice(taken));
  for (size_t begin = candidates_.size(); begin > 0;) {
    const size_t end = std::exchange(begin, begin - std::min(begin, BlockSize()));
    std::fill(taken.begin() + begin, taken.begin() + end, false);
    const int64_t without = PeakBytes(Choice(taken));
    if (without > peak) std::fill(taken.begin() + begin, taken.begin() + end, true);
    peak = std::min(peak, without);
  }
  return Choice(taken);
}

std::vector<bool> RecomputeSearch::Everything() const {
  return Choice(std::vector<bool>(candidates_.size(), true));
}

int64_t RecomputeSearch::PeakBytes(const std::vector<bool>& recompute) const {
  const Schedule schedule = MakeSchedule(graph_, tensors_, {.recompute = recompute});
  return MemoryModel(graph_, tensors_, schedule, batch_size_, options_).PeakBytes(formats_);
}

}  // namespace mantissa::planner
