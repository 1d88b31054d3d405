// Changes the fp32 master weights by their gradients.
//
//   const std::unique_ptr<Optimizer> optimizer = MakeOptimizer({}, masters);
//   optimizer->BeginStep();
//   for (size_t i = 0; i < masters.size(); ++i) {
//     optimizer->Update(i, masters[i], gradients[i], learning_rate);
//   }
//
// Moments that are stored in fewer than 4 bytes are unpacked, changed in fp32 and packed again a
// chunk at a time, so that no whole one ever stands in fp32.
//
// Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_OPTIMIZER_H_
#define MANTISSA_SERVER_ENGINE_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "planner/cost/moments.h"
#include "server/engine/moments.h"
#include "server/engine/options.h"

namespace mantissa::engine {

struct OptimizerOptions {
  planner::OptimizerKind kind = planner::OptimizerKind::kSgd;
  double momentum = 0.9;  // of SGD
  double weight_decay = 5e-4;
  // Of AdamW (Loshchilov and Hutter, ICLR 2019).
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  planner::OptimizerStateWidth state = planner::OptimizerStateWidth::kFp32;
  uint64_t seed = 0;  // of the rounding of bf16 moments
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Once before the updates of a step that is not skipped.
  void BeginStep() { ++steps_; }
  // Both are float32 and dense. `gradient` is used up: its values are undefined afterwards.
  void Update(size_t index, const at::Tensor& parameter, const at::Tensor& gradient,
              double learning_rate);
  // Averages of gradients, which a checkpoint keeps.
  const std::vector<Moment>& moments() const { return moments_; }

  planner::OptimizerStateWidth state_width() const { return width_; }

  // Steps that were not skipped.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

 protected:
  Optimizer(planner::OptimizerStateWidth width, std::vector<Moment> moments)
      : width_(width), moments_(std::move(moments)) {}

  // Changes elements of a parameter and of its moments, all of one shape.
  virtual void Apply(const at::Tensor& parameter, const at::Tensor& gradient,
                     const std::vector<at::Tensor>& moments, double learning_rate) = 0;

 private:
  const planner::OptimizerStateWidth width_;
  std::vector<Moment> moments_;
  int64_t steps_ = 0;
};

// With moments of zero, shaped as `parameters` and on their device.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const std::vector<at::Tensor>& parameters);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_OPTIMIZER_H_
