// planner/fit/recompute.h
//
// Chooses which v's are computed again in the backward pass instead of kept.
//
//   RecomputeSearch search(graph, tensors, formats, /*batch_size=*/128, memory_options);
//   std::vector<bool> recompute = search.FewestThatFit(budget_bytes);
//
// Only outputs of cheap operators are (CanRecompute()), each together with what it is computed from
// and what nobody keeps: a ReLU is made again from the convolution's output, which stays, over the
// batch norm between them. What is computed again for one byte less is counted in elements, and the
// cheapest bytes go first.

#ifndef MANTISSA_PLANNER_FIT_RECOMPUTE_H_
#define MANTISSA_PLANNER_FIT_RECOMPUTE_H_

#include <cstdint>
#include <vector>

#include "kernels/formats/format.h"
#include "planner/cost/memory.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "planner/schedule/schedule.h"

namespace mantissa::planner {

// Which v are computed again in the backward pass instead of kept.
enum class Recompute {
  kAuto,   // as few as a limit of memory needs; none without one
  kNone,   // none
  kCheap,  // of cheap operators (CanRecompute()) those whose recomputing lowers the peak
};

class RecomputeSearch {
 public:
  // The arguments must outlive it.
  RecomputeSearch(const Graph& graph, const TensorTable& tensors,
                  const std::vector<kernels::Format>& formats, int64_t batch_size,
                  const MemoryOptions& options);

  // By value. O(candidates) schedules each.
  // The cheapest choice whose predicted peak is at most `limit_bytes`; where there is none, as
  // LowestPeak().
  std::vector<bool> FewestThatFit(int64_t limit_bytes) const;
  // All that lower the peak.
  std::vector<bool> LowestPeak() const;
  // All that there are.
  std::vector<bool> Everything() const;

  // Of a choice.
  int64_t PeakBytes(const std::vector<bool>& recompute) const;

 private:
  struct Candidate {
    // The saved v first, then what is recomputed with it.
    std::vector<ValueId> values;
    int64_t bytes = 0;     // saved
    int64_t elements = 0;  // recomputed
  };

  void FindCandidates();
  size_t BlockSize() const;
  // By value, of the candidates taken.
  std::vector<bool> Choice(const std::vector<bool>& taken) const;

  const Graph& graph_;
  const TensorTable& tensors_;
  const std::vector<kernels::Format>& formats_;
  const int64_t batch_size_;
  const MemoryOptions& options_;
  std::vector<Candidate> candidates_;  // the cheapest first
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_FIT_RECOMPUTE_H_
