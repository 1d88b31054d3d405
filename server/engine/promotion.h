// Promotion: a low v or theta that overflows too often becomes high for good (Lee, Sharma, Aiken,
// TMLR 2023, section 4).
//
//   Promoter promoter(plan, batch_size, 0.01);
//   promoter.Observe(tensor_index, counts.overflow, elements);   // for each tensor of the step
//   Promoter::Outcome outcome = promoter.Promote();             // changes plan.assignment
//
// The ratio is of elements at or above the overflow threshold, in float32, and of the tensor before
// it was rounded. Gradients are never promoted, and the gradient of a promoted v stays low.
#ifndef MANTISSA_SERVER_ENGINE_PROMOTION_H_
#define MANTISSA_SERVER_ENGINE_PROMOTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/cost/cost.h"
#include "planner/graph/tensors.h"
#include "planner/plan.h"

namespace mantissa::engine {

struct PromotedTensor {
  planner::TensorKind kind;  // kActivation or kParameter
  std::string name;
  double overflow_ratio;
};

class Promoter {
 public:
  struct Outcome {
    std::vector<PromotedTensor> promoted;  // by index
    double max_overflow_ratio = 0;         // of what was observed
  };

  // Above 1, `threshold` is never reached. `plan` is changed by Promote() and must outlive this.
  Promoter(planner::Plan& plan, int64_t batch_size, double threshold);

  // Remembers a tensor whose ratio is at least the threshold. REQUIRES: of kind v or theta,
  // elements > 0.
  void Observe(int tensor, int64_t overflow, int64_t elements);

  // Makes high what reached the threshold since the last call.
  Outcome Promote();

  // Makes tensors high, as a checkpoint says.
  void Restore(const std::vector<int>& tensors);

  // All tensors promoted so far, by index.
  const std::vector<int>& promoted() const { return promoted_; }
  // Of all tensors at the batch size, as things stand.
  int64_t bits() const { return cost_.bits; }
  double ratio_low_bits() const { return cost_.ratio_low_bits; }

 private:
  struct Candidate {
    int tensor;
    double ratio;
  };
  bool IsCandidate(int tensor) const;

  planner::Plan& plan_;
  const int64_t batch_size_;
  const float threshold_;
  std::vector<Candidate> candidates_;
  std::vector<int> promoted_;
  double max_ratio_ = 0;
  planner::Cost cost_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_PROMOTION_H_
