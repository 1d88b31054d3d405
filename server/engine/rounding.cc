#include "server/engine/rounding.h"

#include <utility>

#include "ATen/Parallel.h"
#include "ATen/ops/_log_softmax.h"
#include "ATen/ops/_log_softmax_backward_data.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/gt.h"
#include "ATen/ops/relu.h"
#include "ATen/ops/where.h"
#include "absl/types/span.h"
#include "base/random.h"
#include "base/status.h"
#include "server/engine/random_streams.h"
#include "torch/csrc/autograd/custom_function.h"

namespace mantissa::engine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool IsDense(const at::Tensor& tensor) { return tensor.is_non_overlapping_and_dense(); }

// Whether nothing but `tensor` reads its memory: no view, no base, no operator that saved it.
bool OwnsItsMemory(const at::Tensor& tensor) {
  return tensor.use_count() == 1 && tensor.storage().use_count() == 1 && IsDense(tensor);
}

absl::Span<float> SpanOf(const at::Tensor& tensor) {
  return absl::MakeSpan(static_cast<float*>(tensor.data_ptr()), tensor.numel());
}

bool IsGradient(planner::TensorKind kind) {
  return kind == planner::TensorKind::kActivationGradient ||
         kind == planner::TensorKind::kParameterGradient;
}

// A site and a rounder, through a context that holds no pointers.
void Remember(AutogradContext* context, Rounder& rounder, RoundingSite& site) {
  context->saved_data["rounder"] = reinterpret_cast<int64_t>(&rounder);
  context->saved_data["site"] = reinterpret_cast<int64_t>(&site);
}
Rounder& RememberedRounder(AutogradContext* context) {
  return *reinterpret_cast<Rounder*>(context->saved_data["rounder"].toInt());
}
RoundingSite& RememberedSite(AutogradContext* context) {
  return *reinterpret_cast<RoundingSite*>(context->saved_data["site"].toInt());
}

struct ActivationFunction : torch::autograd::Function<ActivationFunction> {
  static at::Tensor forward(AutogradContext*, const at::Tensor& y, Rounder* rounder,
                            RoundingSite* site) {
    return rounder->Round(*site, y, /*may_overwrite=*/false);
  }
  static variable_list backward(AutogradContext*, variable_list& gradients) {
    return {std::move(gradients[0]), at::Tensor(), at::Tensor()};
  }
};

struct GradientFunction : torch::autograd::Function<GradientFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, Rounder* rounder,
                            RoundingSite* site) {
    context->set_materialize_grads(false);
    Remember(context, *rounder, *site);
    return x;
  }
  // Takes the list by reference, so that a gradient nobody else holds counts one owner.
  static variable_list backward(AutogradContext* context, variable_list& gradients) {
    at::Tensor gradient = std::move(gradients[0]);
    if (gradient.defined()) {
      const bool own = OwnsItsMemory(gradient);
      gradient = RememberedRounder(context).Round(RememberedSite(context), gradient, own);
    }
    return {std::move(gradient), at::Tensor(), at::Tensor()};
  }
};

struct ReluFunction : torch::autograd::Function<ReluFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, Rounder* rounder,
                            RoundingSite* site) {
    const at::Tensor y = at::relu(x);
    context->save_for_backward({at::gt(y, 0)});
    return rounder->Round(*site, y, /*may_overwrite=*/true);
  }
  static variable_list backward(AutogradContext* context, variable_list& gradients) {
    const at::Tensor mask = context->get_saved_variables()[0];
    // A product would make NaN of infinity times zero.
    return {at::where(mask, gradients[0], 0), at::Tensor(), at::Tensor()};
  }
};

struct LogSoftmaxFunction : torch::autograd::Function<LogSoftmaxFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, int64_t dim,
                            Rounder* rounder, RoundingSite* site) {
    const at::Tensor y = rounder->Round(*site, at::_log_softmax(x, dim, /*half_to_float=*/false),
                                        /*may_overwrite=*/true);
    context->save_for_backward({y});
    context->saved_data["dim"] = dim;
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list& gradients) {
    const at::Tensor y = context->get_saved_variables()[0];
    return {at::_log_softmax_backward_data(gradients[0], y, context->saved_data["dim"].toInt(),
                                           at::kFloat),
            at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

Rounder::Rounder(kernels::Rounding mode, uint64_t seed)
    : mode_(mode),
      seed_(seed),
      parallel_([](int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
        at::parallel_for(0, n, grain, body);
      }) {}

void Rounder::RoundInto(RoundingSite& site, const at::Tensor& in, const at::Tensor& out) {
  kernels::RoundSpec spec{.format = site.format,
                          .rounding = mode_,
                          .overflow = IsGradient(site.kind) ? kernels::Overflow::kInfinity
                                                            : kernels::Overflow::kSaturate};
  if (mode_ == kernels::Rounding::kStochastic) {
    RandomStream numbers(seed_, StochasticRoundingStream(site.stream, step_));
    spec.seed = uint64_t{numbers.Next()} << 32;
    spec.seed |= numbers.Next();
  }
  at::Tensor before;
  if (probe_ != nullptr) before = in.clone();
  site.counts = {};
  site.elements = in.numel();
  MANTISSA_CHECK_OK(kernels::Round(kernels::Device::Cpu(&parallel_), spec, SpanOf(in), SpanOf(out),
                                   &site.counts));
  if (probe_ != nullptr) probe_->OnRounding(site, before, out);
}

at::Tensor Rounder::Round(RoundingSite& site, const at::Tensor& in, bool may_overwrite) {
  if (!Touches(site)) return in;
  const at::Tensor dense = IsDense(in) ? in : in.contiguous();
  const bool overwrite = may_overwrite || !dense.is_same(in);
  const at::Tensor out = overwrite ? dense : at::empty_like(dense);
  RoundInto(site, dense, out);
  return out;
}

at::Tensor RoundActivation(Rounder& rounder, RoundingSite& site, at::Tensor y) {
  if (!rounder.Touches(site)) return y;
  if (OwnsItsMemory(y)) {
    // The gradient of rounding is the identity, so a change of values that nobody has read needs no
    // function in autograd's graph. Operators that save their output hold its memory and are not
    // here.
    return rounder.Round(site, y, /*may_overwrite=*/true);
  }
  return ActivationFunction::apply(y, &rounder, &site);
}

at::Tensor RoundGradient(Rounder& rounder, RoundingSite& site, const at::Tensor& x) {
  if (!x.requires_grad() || !rounder.Touches(site)) return x;
  return GradientFunction::apply(x, &rounder, &site);
}

at::Tensor RoundedRelu(Rounder& rounder, RoundingSite& site, const at::Tensor& x) {
  return ReluFunction::apply(x, &rounder, &site);
}

at::Tensor RoundedLogSoftmax(Rounder& rounder, RoundingSite& site, const at::Tensor& x,
                             int64_t dim) {
  return LogSoftmaxFunction::apply(x, dim, &rounder, &site);
}

}  // namespace mantissa::engine
