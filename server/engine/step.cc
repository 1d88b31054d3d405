#include "server/engine/step.h"

#include <cmath>
#include <utility>

#include "ATen/core/grad_mode.h"
#include "ATen/ops/argmax.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/eq.h"
#include "ATen/ops/full.h"
#include "ATen/ops/scalar_tensor.h"
#include "base/status.h"
#include "server/engine/torch_error.h"
#include "torch/csrc/autograd/autograd.h"

namespace mantissa::engine {
namespace {

using planner::TensorKind;

// Far from the numbers of the sites in the graph.
constexpr uint64_t kParameterStreams = uint64_t{1} << 22;

int64_t CountCorrect(const at::Tensor& logits, const at::Tensor& labels) {
  // Ties, of which low precision has many, go to the first class.
  return at::argmax(logits, 1).eq(labels).sum().item<int64_t>();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StepRunner>> StepRunner::Create(planner::Plan& plan,
                                                               ModelState& state,
                                                               const StepOptions& options) {
  std::unique_ptr<StepRunner> result(new StepRunner(plan, state, options));
  ASSIGN_OR_RETURN(result->runner_,
                   GraphRunner::Create(plan.graph, plan.tensors, &result->rounder_));
  result->RefreshFormats();
  return result;
}

StepRunner::StepRunner(planner::Plan& plan, ModelState& state, const StepOptions& options)
    : plan_(plan),
      state_(state),
      options_(options),
      rounder_(options.rounding, options.seed),
      optimizer_(MakeOptimizer(options.optimizer, state.parameters)),
      scaler_(options.loss_scale),
      promoter_(plan, options.batch_size, options.promotion_threshold) {
  const std::vector<planner::ValueId>& parameters = plan.graph.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    theta_sites_.push_back({.kind = TensorKind::kParameter,
                            .value = parameters[i],
                            .stream = kParameterStreams + 2 * i});
    dtheta_sites_.push_back({.kind = TensorKind::kParameterGradient,
                             .value = parameters[i],
                             .stream = kParameterStreams + 2 * i + 1});
  }
  rounded_.resize(parameters.size());
  leaves_.resize(parameters.size());
}

void StepRunner::RefreshFormats() {
  runner_->SetFormats(plan_.assignment);
  for (std::vector<RoundingSite>* sites : {&theta_sites_, &dtheta_sites_}) {
    for (RoundingSite& site : *sites) {
      const int tensor = plan_.tensors.Find(site.kind, site.value);
      // A parameter that no operator reads has no tensor; it stays as it is.
      site.format = tensor < 0 ? kernels::kFp32 : plan_.assignment.formats[tensor];
    }
  }
}

void StepRunner::set_probe(RoundingProbe* probe) { rounder_.set_probe(probe); }

absl::StatusOr<StepResult> StepRunner::Step(int64_t step, const Batch& batch,
                                            double learning_rate) {
  return CatchTorch(
      [&]() -> absl::StatusOr<StepResult> { return RunStep(step, batch, learning_rate); });
}

absl::StatusOr<StepRunner::BatchEvaluation> StepRunner::Evaluate(const Batch& batch,
                                                                 Evaluation evaluation) {
  return CatchTorch(
      [&]() -> absl::StatusOr<BatchEvaluation> { return RunEvaluation(batch, evaluation); });
}

// Parameters become leaves of autograd's graph: either their rounded values or the masters' memory.
void StepRunner::BindState(bool round_parameters, bool under_autograd) {
  for (size_t i = 0; i < state_.parameters.size(); ++i) {
    const at::Tensor& master = state_.parameters[i];
    at::Tensor values = master;
    if (round_parameters && rounder_.Touches(theta_sites_[i])) {
      if (!rounded_[i].defined()) rounded_[i] = at::empty_like(master);
      rounder_.RoundInto(theta_sites_[i], master, rounded_[i]);
      values = rounded_[i];
    }
    leaves_[i] = values.detach();
    leaves_[i].set_requires_grad(under_autograd);
    runner_->Bind(plan_.graph.parameters()[i], leaves_[i]);
  }
  for (size_t i = 0; i < state_.buffers.size(); ++i) {
    runner_->Bind(plan_.graph.buffers()[i], state_.buffers[i]);
  }
}

StepResult StepRunner::RunStep(int64_t step, const Batch& batch, double learning_rate) {
  rounder_.BeginStep(step);
  BindState(options_.round, /*under_autograd=*/true);
  GraphRunner::Output output =
      runner_->Run(batch.images, batch.labels, {.training = true, .round = options_.round});
  for (size_t i = 0; i < state_.buffers.size(); ++i) {
    if (CountsBatches(plan_.graph.value(plan_.graph.buffers()[i]))) state_.buffers[i].add_(1);
  }

  StepResult result{.loss = output.loss.item<double>(),
                    .loss_unrounded = output.loss_unrounded,
                    .loss_scale = scaler_.scale()};
  result.correct = CountCorrect(output.logits.detach(), batch.labels);
  output.logits.reset();
  torch::autograd::backward({output.loss}, {at::scalar_tensor(scaler_.scale(), at::kFloat)});
  output.loss.reset();

  std::vector<at::Tensor> gradients(leaves_.size());
  result.skipped = !CollectGradients(gradients);
  if (!result.skipped) ApplyGradients(gradients, learning_rate);
  scaler_.Update(result.skipped);
  if (options_.round) ObserveOverflows();
  result.promotion = promoter_.Promote();
  if (!result.promotion.promoted.empty()) RefreshFormats();
  return result;
}

bool StepRunner::CollectGradients(std::vector<at::Tensor>& gradients) {
  const at::NoGradGuard no_grad;
  bool finite = true;
  for (size_t i = 0; i < leaves_.size(); ++i) {
    at::Tensor gradient = leaves_[i].grad();
    leaves_[i].mutable_grad().reset();
    if (!gradient.defined()) continue;
    RoundingSite& site = dtheta_sites_[i];
    // The count of what is not finite comes with the rounding; fp32 changes nothing.
    if (!gradient.is_contiguous()) gradient = gradient.contiguous();
    rounder_.RoundInto(site, gradient, gradient);
    const bool overflowed = site.format != kernels::kFp32 && site.counts.overflow > 0;
    if (overflowed || site.counts.nonfinite > 0) finite = false;
    gradients[i] = std::move(gradient);
  }
  return finite;
}

void StepRunner::ApplyGradients(std::vector<at::Tensor>& gradients, double learning_rate) {
  const at::NoGradGuard no_grad;
  optimizer_->BeginStep();
  const double inverse_scale = 1 / scaler_.scale();
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;
    if (inverse_scale != 1) gradients[i].mul_(inverse_scale);
    optimizer_->Update(i, state_.parameters[i], std::move(gradients[i]), learning_rate);
  }
}

void StepRunner::ObserveOverflows() {
  const auto observe = [this](const RoundingSite& site) {
    const int tensor = plan_.tensors.Find(site.kind, site.value);
    if (tensor < 0 || !rounder_.Touches(site)) return;
    promoter_.Observe(tensor, site.counts.overflow, site.elements);
  };
  for (const RoundingSite* site : runner_->activation_sites()) observe(*site);
  for (const RoundingSite& site : theta_sites_) observe(site);
}

StepRunner::BatchEvaluation StepRunner::RunEvaluation(const Batch& batch, Evaluation evaluation) {
  const at::NoGradGuard no_grad;
  const bool round = options_.round && evaluation != Evaluation::kFp32;
  BindState(round && evaluation == Evaluation::kAssigned, /*under_autograd=*/false);
  const GraphRunner::Output output =
      runner_->Run(batch.images, batch.labels, {.training = false, .round = round});
  return {.loss = output.loss.item<double>(),
          .loss_unrounded = output.loss_unrounded,
          .correct = CountCorrect(output.logits, batch.labels)};
}

}  // namespace mantissa::engine
