#include "server/engine/optimizer.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "ATen/ops/sqrt.h"
#include "base/status.h"

namespace mantissa::engine {
namespace {

// d = g + wd * theta; buf = mu * buf + d, at first d; theta -= lr * buf. The order of operations is
// PyTorch's, so that trainings can be compared with it. A momentum that starts at zero gives the
// first buf = d by itself.
class Sgd : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, std::vector<Moment> moments)
      : Optimizer(options.state, std::move(moments)), options_(options) {}

 private:
  void Apply(const at::Tensor& parameter, const at::Tensor& gradient,
             const std::vector<at::Tensor>& moments, double learning_rate) override {
    const at::Tensor& momentum = moments[0];
    if (options_.weight_decay != 0) gradient.add_(parameter, options_.weight_decay);
    momentum.mul_(options_.momentum).add_(gradient);
    parameter.add_(momentum, -learning_rate);
  }

  const OptimizerOptions options_;
};

// theta *= 1 - lr * wd; m = b1 * m + (1 - b1) * g; v = b2 * v + (1 - b2) * g^2;
// theta -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
class AdamW : public Optimizer {
 public:
  AdamW(const OptimizerOptions& options, std::vector<Moment> moments)
      : Optimizer(options.state, std::move(moments)), options_(options) {}

 private:
  void Apply(const at::Tensor& parameter, const at::Tensor& gradient,
             const std::vector<at::Tensor>& moments, double learning_rate) override {
    const at::Tensor &first = moments[0], &second = moments[1];
    const double correction1 = 1 - std::pow(options_.beta1, steps());
    const double correction2 = 1 - std::pow(options_.beta2, steps());
    parameter.mul_(1 - learning_rate * options_.weight_decay);
    first.mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
    second.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    const at::Tensor denominator =
        at::sqrt(second).div_(std::sqrt(correction2)).add_(options_.epsilon);
    parameter.addcdiv_(first, denominator, -learning_rate / correction1);
  }

  const OptimizerOptions options_;
};

}  // namespace

void Optimizer::Update(size_t index, const at::Tensor& parameter, const at::Tensor& gradient,
                       double learning_rate) {
  MANTISSA_CHECK(parameter.is_contiguous() && gradient.is_contiguous());
  std::vector<at::Tensor> values;
  // Whether a moment is wide depends on the parameter's size alone, so all of them are or none.
  if (moments_[0].wide(index)) {
    for (const Moment& moment : moments_) values.push_back(moment.tensor(index));
    Apply(parameter, gradient, values, learning_rate);
    return;
  }
  const at::Tensor weights = parameter.view(-1), gradients = gradient.view(-1);
  for (int64_t first = 0; first < weights.numel(); first += planner::kMomentChunkElements) {
    const int64_t n = std::min(planner::kMomentChunkElements, weights.numel() - first);
    values.clear();
    for (Moment& moment : moments_) values.push_back(moment.Load(index, first, n));
    Apply(weights.narrow(0, first, n), gradients.narrow(0, first, n), values, learning_rate);
    for (size_t i = 0; i < moments_.size(); ++i) {
      moments_[i].Store(index, first, values[i], steps_);
    }
  }
}

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const std::vector<at::Tensor>& parameters) {
  const auto moment = [&](const char* name, MomentSign sign, int number) {
    return Moment(name, sign, options.state, options.seed, number, parameters);
  };
  std::vector<Moment> moments;
  if (options.kind == planner::OptimizerKind::kAdamW) {
    moments.push_back(moment("first", MomentSign::kAny, 0));
    moments.push_back(moment("second", MomentSign::kPositive, 1));
    return std::make_unique<AdamW>(options, std::move(moments));
  }
  moments.push_back(moment("momentum", MomentSign::kAny, 0));
  return std::make_unique<Sgd>(options, std::move(moments));
}

}  // namespace mantissa::engine
