// One running average of the gradients, for every parameter, in as many bytes as a training gives
// it (planner/cost/moments.h):
//
//   fp32  as it is
//   bf16  rounded stochastically, so that a change below half a unit is right on average
//   int8  a byte an element and a scale a block (kernels/packed/blockwise.h)
//
//   Moment momentum("momentum", MomentSign::kAny, width, seed, /*number=*/0, parameters);
//   at::Tensor wide = momentum.Load(i, first, n, step);  // float32, flat
//   wide.mul_(0.9).add_(gradient);
//   momentum.Store(i, first, wide, step);
//
// Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_MOMENTS_H_
#define MANTISSA_SERVER_ENGINE_MOMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "planner/cost/moments.h"

namespace mantissa::engine {

enum class MomentSign {
  kAny,
  // An average of squares. One that 8 bits round to zero is read as half of the least value that
  // they have, since the update is divided by its root.
  kPositive,
};

class Moment {
 public:
  // Zeros, for each of `parameters`. `number` tells the moments of one optimizer apart.
  Moment(std::string name, MomentSign sign, planner::OptimizerStateWidth width, uint64_t seed,
         int number, const std::vector<at::Tensor>& parameters);

  // Whether the parameter's moment is stored in fp32.
  bool wide(size_t parameter) const { return !parts_[parameter].codes.defined(); }
  // In fp32, shaped as the parameter. REQUIRES: wide.
  const at::Tensor& tensor(size_t parameter) const { return parts_[parameter].wide; }

  // Elements `first` to `first + n` in float32; the memory is taken over by the next Load().
  // REQUIRES: not wide; first is a multiple of kMomentBlockElements.
  at::Tensor Load(size_t parameter, int64_t first, int64_t n);
  // What Load() gave, changed. Random rounding draws from `step`'s own numbers.
  void Store(size_t parameter, int64_t first, const at::Tensor& values, int64_t step);

  // What a checkpoint keeps of a parameter, bit for bit.
  struct State {
    std::string name;   // "momentum", "momentum.scales"
    at::Tensor tensor;  // float32, bfloat16 or uint8; written to by who restores it
  };
  std::vector<State> states(size_t parameter) const;

 private:
  // Either `wide` or `codes`, and with int8 `scales`.
  struct Part {
    at::Tensor wide, codes, scales;
  };

  const std::string name_;
  const MomentSign sign_;
  const planner::OptimizerStateWidth width_;
  const uint64_t seed_;
  const int number_;
  std::vector<Part> parts_;
  at::Tensor chunk_;   // memory for Load(), of whole blocks
  at::Tensor counts_;  // that the rounding kernel fills and nobody reads
  float least_ = 0;    // of kPositive in int8: what a zero is read as, times its block's scale
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_MOMENTS_H_
