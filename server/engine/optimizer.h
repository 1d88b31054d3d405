// Changes the fp32 master weights by their gradients.
//
//   std::unique_ptr<Optimizer> optimizer = MakeOptimizer({.kind = OptimizerKind::kSgd, ...},
//   shapes); optimizer->BeginStep(); for (i...) optimizer->Update(i, master[i], gradient[i],
//   learning_rate);
//
// Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_OPTIMIZER_H_
#define MANTISSA_SERVER_ENGINE_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "server/engine/options.h"

namespace mantissa::engine {

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kSgd;
  double momentum = 0.9;  // of SGD
  double weight_decay = 5e-4;
  // Of AdamW (Loshchilov and Hutter, ICLR 2019).
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

class Optimizer {
 public:
  // Averages of gradients, which a checkpoint keeps.
  struct Moment {
    std::string name;                  // "momentum"
    std::vector<at::Tensor>* tensors;  // by parameter
  };

  virtual ~Optimizer() = default;

  // Once before the updates of a step that is not skipped.
  void BeginStep() { ++steps_; }
  // `gradient` is used up: its values are undefined afterwards.
  virtual void Update(size_t index, const at::Tensor& parameter, at::Tensor gradient,
                      double learning_rate) = 0;
  virtual std::vector<Moment> moments() = 0;

  // Steps that were not skipped.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

 private:
  int64_t steps_ = 0;
};

// With moments of zero, shaped as `parameters`.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const std::vector<at::Tensor>& parameters);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_OPTIMIZER_H_
