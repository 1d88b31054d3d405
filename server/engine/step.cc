#include "server/engine/step.h"

#include <utility>

#include "ATen/core/grad_mode.h"
#include "ATen/ops/argmax.h"
#include "ATen/ops/eq.h"
#include "base/status.h"
#include "server/engine/memory_ledger.h"
#include "server/engine/torch_error.h"

namespace mantissa::engine {
namespace {

// A number on the device of the logits, which it lets go of.
at::Tensor CountCorrect(at::Tensor logits, const at::Tensor& labels) {
  // Ties, of which low precision has many, go to the first class.
  return at::argmax(logits, 1).eq(labels).sum();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StepRunner>> StepRunner::Create(planner::Plan& plan,
                                                               ModelState& state,
                                                               const StepOptions& options) {
  std::unique_ptr<StepRunner> result(new StepRunner(plan, state, options));
  RunnerOptions runner = options.runner;
  if (!plan.recompute.empty()) runner.recompute = plan.recompute;
  ASSIGN_OR_RETURN(result->runner_,
                   GraphRunner::Create(plan.graph, plan.tensors, &result->rounder_, runner));
  for (const std::vector<at::Tensor>* tensors : {&state.parameters, &state.buffers}) {
    for (const at::Tensor& tensor : *tensors) {
      MemoryLedger::Process().Tag(tensor, planner::MemoryKind::kMasters);
    }
  }
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
      promoter_(plan, options.batch_size, options.promotion_threshold) {}

void StepRunner::RefreshFormats() { runner_->SetFormats(plan_.assignment.formats); }

void StepRunner::set_probe(RoundingProbe* probe) { rounder_.set_probe(probe); }

absl::StatusOr<StepResult> StepRunner::Step(int64_t step, Batch batch, double learning_rate) {
  return CatchTorch([&]() -> absl::StatusOr<StepResult> {
    return RunStep(step, std::move(batch), learning_rate);
  });
}

absl::StatusOr<StepRunner::BatchEvaluation> StepRunner::Evaluate(const Batch& batch,
                                                                 Evaluation evaluation) {
  return CatchTorch(
      [&]() -> absl::StatusOr<BatchEvaluation> { return RunEvaluation(batch, evaluation); });
}

void StepRunner::BindState() {
  for (size_t i = 0; i < state_.parameters.size(); ++i) {
    runner_->Bind(plan_.graph.parameters()[i], state_.parameters[i]);
  }
  for (size_t i = 0; i < state_.buffers.size(); ++i) {
    runner_->Bind(plan_.graph.buffers()[i], state_.buffers[i]);
  }
}

StepResult StepRunner::RunStep(int64_t step, Batch batch, double learning_rate) {
  const at::NoGradGuard no_grad;
  if (options_.runner.timeline != nullptr) options_.runner.timeline->BeginStep();
  rounder_.BeginStep(step);
  BindState();
  GraphRunner::Output output = runner_->Forward(
      std::move(batch.images), batch.labels,
      {.training = true, .round_values = options_.round, .round_parameters = options_.round});
  const at::Tensor correct = CountCorrect(std::move(output.logits), batch.labels);
  for (size_t i = 0; i < state_.buffers.size(); ++i) {
    if (CountsBatches(plan_.graph.value(plan_.graph.buffers()[i]))) state_.buffers[i].add_(1);
  }
  // On a GPU the CPU runs ahead until here, where it has to know.
  runner_->Backward(scaler_.scale());
  StepResult result{.loss_scale = scaler_.scale(), .skipped = !runner_->GradientsAreFinite()};
  result.loss = output.loss.item<double>();
  result.loss_unrounded = output.loss_unrounded.item<double>();
  result.correct = correct.item<int64_t>();
  if (!result.skipped) ApplyGradients(learning_rate);
  runner_->DropGradients();
  scaler_.Update(result.skipped);
  if (options_.round) ObserveOverflows();
  result.promotion = promoter_.Promote();
  if (!result.promotion.promoted.empty()) RefreshFormats();
  return result;
}

// One parameter after the other, so that only one gradient is wide at a time.
void StepRunner::ApplyGradients(double learning_rate) {
  const TimelineTask told(options_.runner.timeline, planner::Task::Kind::kBackward,
                          planner::kNoNode);
  optimizer_->BeginStep();
  const double inverse_scale = 1 / scaler_.scale();
  for (size_t i = 0; i < state_.parameters.size(); ++i) {
    PackedTensor packed = runner_->TakeGradient(i);
    if (!packed.defined()) continue;
    at::Tensor gradient = packed.Unpack(Tile{}, at::kFloat);
    packed = {};
    if (inverse_scale != 1) gradient.mul_(inverse_scale);
    optimizer_->Update(i, state_.parameters[i], gradient, learning_rate);
  }
}

void StepRunner::ObserveOverflows() {
  const auto observe = [this](const RoundingSite& site) {
    const int tensor = plan_.tensors.Find(site.kind, site.value);
    if (tensor < 0 || site.elements == 0) return;
    promoter_.Observe(tensor, site.counts.overflow, site.elements);
  };
  for (const RoundingSite* site : runner_->sites().activations()) observe(*site);
  for (const auto& site : runner_->sites().parameters()) observe(*site);
}

StepRunner::BatchEvaluation StepRunner::RunEvaluation(const Batch& batch, Evaluation evaluation) {
  BindState();
  const bool round = options_.round && evaluation != Evaluation::kFp32;
  GraphRunner::Output output =
      runner_->Forward(batch.images, batch.labels,
                       {.training = false,
                        .round_values = round,
                        .round_parameters = round && evaluation == Evaluation::kAssigned});
  return {.loss = output.loss.item<double>(),
          .loss_unrounded = output.loss_unrounded.item<double>(),
          .correct = CountCorrect(std::move(output.logits), batch.labels).item<int64_t>()};
}

}  // namespace mantissa::engine
