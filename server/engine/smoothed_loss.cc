// Registers mantissa::smoothed_nll_loss, the loss with label smoothing, so that a graph can name it
// like any operator of LibTorch. Linked into every program with graph_runner.
//
// With smoothing s over C classes the target is (1 - s) at the label plus s / C everywhere
// (Szegedy and others, CVPR 2016), so the mean loss is (1 - s) * nll - s * mean(log p), over
// the positions whose label is not ignored. Classes are dimension 1.

#include "ATen/core/Reduction.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/div.h"
#include "ATen/ops/eq.h"
#include "ATen/ops/logical_not.h"
#include "ATen/ops/masked_fill.h"
#include "ATen/ops/mul.h"
#include "ATen/ops/nll_loss_nd.h"
#include "ATen/ops/sub.h"
#include "ATen/ops/sum.h"
#include "ATen/ops/unsqueeze.h"
#include "torch/library.h"

namespace mantissa::engine {
namespace {

at::Tensor SmoothedNllLoss(const at::Tensor& log_probabilities, const at::Tensor& target,
                           double smoothing, int64_t ignore_index) {
  const at::Tensor nll =
      at::nll_loss_nd(log_probabilities, target, /*weight=*/{}, at::Reduction::Mean, ignore_index);
  const at::Tensor ignored = target.eq(ignore_index);
  const at::Tensor counted = log_probabilities.masked_fill(ignored.unsqueeze(1), 0);
  const at::Tensor terms = ignored.logical_not().sum() * log_probabilities.size(1);
  return nll.mul(1 - smoothing).sub(counted.sum().div(terms), smoothing);
}

}  // namespace

// Made of differentiable operators, so autograd needs nothing more.
TORCH_LIBRARY(mantissa, library) {
  library.def(
      "smoothed_nll_loss(Tensor log_probabilities, Tensor target, float smoothing, int "
      "ignore_index)"
      " -> Tensor",
      &SmoothedNllLoss);
}

}  // namespace mantissa::engine
