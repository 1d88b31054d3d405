#include "server/engine/optimizer.h"

#include <cmath>
#include <utility>

#include "ATen/ops/sqrt.h"
#include "ATen/ops/zeros_like.h"

namespace mantissa::engine {
namespace {

std::vector<at::Tensor> ZerosLike(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> zeros;
  for (const at::Tensor& tensor : tensors) zeros.push_back(at::zeros_like(tensor));
  return zeros;
}

// d = g + wd * theta; buf = mu * buf + d, at first d; theta -= lr * buf. The order of operations is
// PyTorch's, so that trainings can be compared with it. A momentum that starts at zero gives the
// first buf = d by itself.
class Sgd : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, const std::vector<at::Tensor>& parameters)
      : options_(options), momentum_(ZerosLike(parameters)) {}

  void Update(size_t index, const at::Tensor& parameter, at::Tensor gradient,
              double learning_rate) override {
    if (options_.weight_decay != 0) gradient.add_(parameter, options_.weight_decay);
    at::Tensor& momentum = momentum_[index];
    momentum.mul_(options_.momentum).add_(gradient);
    parameter.add_(momentum, -learning_rate);
  }

  std::vector<Moment> moments() override { return {{"momentum", &momentum_}}; }

 private:
  const OptimizerOptions options_;
  std::vector<at::Tensor> momentum_;
};

// theta *= 1 - lr * wd; m = b1 * m + (1 - b1) * g; v = b2 * v + (1 - b2) * g^2;
// theta -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
class AdamW : public Optimizer {
 public:
  AdamW(const OptimizerOptions& options, const std::vector<at::Tensor>& parameters)
      : options_(options), first_(ZerosLike(parameters)), second_(ZerosLike(parameters)) {}

  void Update(size_t index, const at::Tensor& parameter, at::Tensor gradient,
              double learning_rate) override {
    const double correction1 = 1 - std::pow(options_.beta1, steps());
    const double correction2 = 1 - std::pow(options_.beta2, steps());
    parameter.mul_(1 - learning_rate * options_.weight_decay);
    at::Tensor &first = first_[index], &second = second_[index];
    first.mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
    second.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    const at::Tensor denominator =
        at::sqrt(second).div_(std::sqrt(correction2)).add_(options_.epsilon);
    parameter.addcdiv_(first, denominator, -learning_rate / correction1);
  }

  std::vector<Moment> moments() override { return {{"first", &first_}, {"second", &second_}}; }

 private:
  const OptimizerOptions options_;
  std::vector<at::Tensor> first_, second_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const std::vector<at::Tensor>& parameters) {
  if (options.kind == OptimizerKind::kAdamW) return std::make_unique<AdamW>(options, parameters);
  return std::make_unique<Sgd>(options, parameters);
}

}  // namespace mantissa::engine
