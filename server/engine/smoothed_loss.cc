// Registers mantissa::smoothed_nll_loss, the loss with label smoothing, so that a graph can name it
// like any operator of LibTorch. Linked into every program with graph_runner.
//
// With smoothing s over C classes the target is (1 - s) at the label plus s / C everywhere
// (Szegedy and others, CVPR 2016), so the mean loss is (1 - s) * nll - s * mean(log p).

#include "ATen/core/Tensor.h"
#include "ATen/ops/mean.h"
#include "ATen/ops/mul.h"
#include "ATen/ops/nll_loss.h"
#include "ATen/ops/sub.h"
#include "torch/library.h"

namespace mantissa::engine {
namespace {

at::Tensor SmoothedNllLoss(const at::Tensor& log_probabilities, const at::Tensor& target,
                           double smoothing) {
  const at::Tensor nll = at::nll_loss(log_probabilities, target);
  return nll.mul(1 - smoothing).sub(log_probabilities.mean(), smoothing);
}

}  // namespace

// Made of differentiable operators, so autograd needs nothing more.
TORCH_LIBRARY(mantissa, library) {
  library.def(
      "smoothed_nll_loss(Tensor log_probabilities, Tensor target, float smoothing) -> Tensor",
      &SmoothedNllLoss);
}

}  // namespace mantissa::engine
