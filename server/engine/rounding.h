// Rounding at the places that the paper names (Lee, Sharma, Aiken, TMLR 2023):
//
//   v       an operator's output, saturating; its gradient passes unchanged
//   theta   each parameter once a step, saturating
//   dv      the gradient that one consumer computes for its input, in the format of the input's
//           producer, overflow to infinity; what several consumers give is added up unrounded
//   dtheta  a parameter's gradient while still loss-scaled, overflow to infinity
//
//   Rounder rounder(kernels::Rounding::kNearestEven, seed);
//   rounder.BeginStep(step);
//   PackedTensor y;
//   for (...) rounder.Store(site, tile, at::conv2d(x, w), sizes, Storage::kPacked,
//                           planner::MemoryKind::kActivations, &y);
//
// Not thread-safe: one step at a time.
#ifndef MANTISSA_SERVER_ENGINE_ROUNDING_H_
#define MANTISSA_SERVER_ENGINE_ROUNDING_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "kernels/formats/format.h"
#include "kernels/packed/round.h"
#include "planner/cost/memory_kind.h"
#include "planner/graph/graph.h"
#include "planner/graph/tensors.h"
#include "server/engine/packed_tensor.h"

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

  // Of the last time something was rounded here; with `device_counts` only once they were fetched
  // (RoundingSites).
  kernels::RoundCounts counts;
  // Where a kernel on a GPU adds what it counts; null: to `counts`.
  kernels::RoundCounts* device_counts = nullptr;
  int64_t elements = 0;

  // Whether the last tensor, once rounded, has an element that is not finite. REQUIRES: a gradient.
  bool overflowed() const {
    return counts.nonfinite > 0 || (format != kernels::kFp32 && counts.overflow > 0);
  }
  kernels::RoundCounts* counter() { return device_counts != nullptr ? device_counts : &counts; }
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
  Rounder(kernels::Rounding mode, uint64_t seed) : mode_(mode), seed_(seed) {}

  // Stochastic rounding draws from `step`'s own numbers.
  void BeginStep(int64_t step) { step_ = step; }
  // Not owned; null: none. Costs copies of every tensor, which are then one tile each.
  void set_probe(RoundingProbe* probe) { probe_ = probe; }
  bool has_probe() const { return probe_ != nullptr; }

  // Rounds one tile of a tensor of `sizes` into *out, which the first tile makes, and adds to the
  // site's counts, which the first tile sets to zero. Tiles come in order. A whole tensor whose
  // type is the format's own is taken over without a copy, and not counted. `memory`: what its
  // bytes are in the ledger.
  void Store(RoundingSite& site, const Tile& tile, const at::Tensor& wide, at::IntArrayRef sizes,
             Storage storage, planner::MemoryKind memory, PackedTensor* out);

  // Counts what is not finite in a tensor that was taken over. REQUIRES: float32.
  void Count(RoundingSite& site, const at::Tensor& values);

 private:
  kernels::RoundSpec SpecOf(const RoundingSite& site) const;
  void Pack(RoundingSite& site, const Tile& tile, const at::Tensor& wide, PackedTensor& out);

  kernels::Rounding mode_;
  uint64_t seed_;
  int64_t step_ = 0;
  RoundingProbe* probe_ = nullptr;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_ROUNDING_H_
