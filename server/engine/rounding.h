// Rounding at the places that the paper names, as autograd functions (Lee, Sharma, Aiken, TMLR
// 2023):
//
//   v       an operator's output, saturating; its gradient passes unchanged
//   theta   each parameter once a step, saturating
//   dv      the gradient that one consumer computes for its input, in the format of the input's
//           producer, overflow to infinity; what several consumers give is added up unrounded
//   dtheta  a parameter's gradient while still loss-scaled, overflow to infinity
//
//   Rounder rounder(kernels::Rounding::kNearestEven, seed);
//   rounder.BeginStep(step);
//   at::Tensor x = RoundGradient(rounder, dv_site, producer_output);  // on the way into an
//   operator at::Tensor y = RoundActivation(rounder, v_site, at::conv2d(x, w));
//
// A site must outlive the backward pass. Not thread-safe: one step at a time.
#ifndef MANTISSA_SERVER_ENGINE_ROUNDING_H_
#define MANTISSA_SERVER_ENGINE_ROUNDING_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "kernels/formats/format.h"
#include "kernels/packed/round.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"

namespace mantissa::engine {

// A place where one tensor is rounded.
struct RoundingSite {
  planner::TensorKind kind = planner::TensorKind::kActivation;
  // The tensor: for v and dv the producer's output, else the parameter.
  planner::ValueId value = planner::kNoValue;
  // For dv the operator whose gradient it is, and which of its tensor arguments, from 0.
  planner::NodeId consumer = planner::kNoNode;
  int consumer_input = 0;
  // fp32: left alone.
  kernels::Format format = kernels::kFp32;
  // Of this site's random numbers; different for each site of a training.
  uint64_t stream = 0;

  // Of the last time something was rounded here.
  kernels::RoundCounts counts;
  int64_t elements = 0;
};

// Sees every tensor before and after it is rounded, fp32 ones too.
class RoundingProbe {
 public:
  virtual ~RoundingProbe() = default;
  virtual void OnRounding(const RoundingSite& site, const at::Tensor& before,
                          const at::Tensor& after) = 0;
};

class Rounder {
 public:
  Rounder(kernels::Rounding mode, uint64_t seed);

  // Stochastic rounding draws from `step`'s own numbers.
  void BeginStep(int64_t step) { step_ = step; }
  // Not owned; null: none. Costs a copy of every tensor.
  void set_probe(RoundingProbe* probe) { probe_ = probe; }

  // Whether Round() would do anything at the site.
  bool Touches(const RoundingSite& site) const {
    return probe_ != nullptr || site.format != kernels::kFp32;
  }

  // `in` rounded into memory of its own, or into that of `in` if `may_overwrite` and `in` is dense.
  // Sets the site's counts. REQUIRES: float32.
  at::Tensor Round(RoundingSite& site, const at::Tensor& in, bool may_overwrite);

  // `in` rounded into `out`, which has the same sizes and is dense.
  void RoundInto(RoundingSite& site, const at::Tensor& in, const at::Tensor& out);

 private:
  kernels::Rounding mode_;
  uint64_t seed_;
  int64_t step_ = 0;
  RoundingProbe* probe_ = nullptr;
  kernels::ParallelFor parallel_;
};

// v: the values of `y` rounded. Overwrites y's memory where nobody else reads it.
at::Tensor RoundActivation(Rounder& rounder, RoundingSite& site, at::Tensor y);

// dv: `x` itself; the gradient that comes back is rounded.
at::Tensor RoundGradient(Rounder& rounder, RoundingSite& site, const at::Tensor& x);

// ReLU and the rounding of its output. The gradient passes where the output was above zero before
// it was rounded, and is zero elsewhere, even where what comes back is infinite.
at::Tensor RoundedRelu(Rounder& rounder, RoundingSite& site, const at::Tensor& x);

// Log-softmax over `dim` and the rounding of its output y; its gradient, gy - exp(y) * sum(gy),
// takes the rounded y.
at::Tensor RoundedLogSoftmax(Rounder& rounder, RoundingSite& site, const at::Tensor& x,
                             int64_t dim);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_ROUNDING_H_
