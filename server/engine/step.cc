#include "server/engine/step.h"

#include <algorithm>
#include <utility>

#include "ATen/core/grad_mode.h"
#include "ATen/ops/argmax.h"
#include "ATen/ops/stack.h"
#include "base/status.h"
#include "planner/graph/loss.h"
#include "server/engine/memory_ledger.h"
#include "server/engine/torch_error.h"

namespace mantissa::engine {
namespace {

struct LabelCounts {
  at::Tensor labels, correct;  // a number each, on the device of the result
};

// Goes through the result in tiles, so that it is never wide as a whole.
LabelCounts CountCorrect(const PackedTensor& result, const at::Tensor& target,
                         const planner::Graph& graph, const planner::LossOptions& loss,
                         int64_t tile_bytes) {
  LabelCounts counts;
  if (!planner::HasLabels(loss.kind)) return counts;
  const int64_t extent = result.sizes()[0];
  const int64_t row_bytes = result.codes().numel() / extent * static_cast<int64_t>(sizeof(float));
  const int64_t size = std::max<int64_t>(1, tile_bytes / std::max<int64_t>(1, row_bytes));
  const at::Tensor counted = target.ne(loss.ignore_index);
  counts.labels = counted.sum();
  for (int64_t begin = 0; begin < extent; begin += size) {
    const Tile tile = {.axis = planner::TileAxis::kBatch,
                       .extent = extent,
                       .begin = begin,
                       .end = std::min(begin + size, extent)};
    // Ties, of which low precision has many, go to the first class.
    const at::Tensor most =
        at::argmax(result.Unpack(tile, at::kFloat), planner::ClassDimension(graph));
    const at::Tensor right =
        most.eq(ViewOfTile(target, tile)).logical_and_(ViewOfTile(counted, tile)).sum();
    counts.correct = counts.correct.defined() ? counts.correct.add_(right) : right;
  }
  return counts;
}

// Frozen ones have no moments.
std::vector<at::Tensor> TrainedParameters(const planner::Graph& graph, const ModelState& state) {
  std::vector<at::Tensor> trained = state.parameters;
  for (size_t i = 0; i < trained.size(); ++i) {
    if (graph.value(graph.parameters()[i]).frozen) trained[i] = trained[i].new_empty({0});
  }
  return trained;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StepRunner>> StepRunner::Create(planner::Plan& plan,
                                                               ModelState& state,
                                                               const StepOptions& options) {
  std::unique_ptr<StepRunner> result(new StepRunner(plan, state, options));
  RunnerOptions runner = options.runner;
  if (!plan.recompute.empty()) runner.recompute = plan.recompute;
  runner.seed = options.seed;
  ASSIGN_OR_RETURN(result->runner_,
                   GraphRunner::Create(plan.graph, plan.tensors, &result->rounder_, runner));
  if (plan.request.ema_decay > 0 && state.averages.empty()) AverageFrom(plan.graph, state);
  for (const std::vector<at::Tensor>* tensors :
       {&state.parameters, &state.buffers, &state.constants, &state.averages}) {
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
      optimizer_(MakeOptimizer(options.optimizer, TrainedParameters(plan.graph, state))),
      scaler_(options.loss_scale),
      promoter_(plan, options.batch_size, options.promotion_threshold),
      sums_(state.parameters.size()) {}

void StepRunner::RefreshFormats() { runner_->SetFormats(plan_.assignment.formats); }

void StepRunner::set_probe(RoundingProbe* probe) { rounder_.set_probe(probe); }

absl::StatusOr<StepResult> StepRunner::Step(int64_t step, Batch batch, double learning_rate) {
  return Step(
      step, 1, [&]() -> absl::StatusOr<Batch> { return std::move(batch); }, learning_rate);
}

absl::StatusOr<StepResult> StepRunner::Step(int64_t step, int64_t count, const NextBatch& next,
                                            double learning_rate) {
  return CatchTorch([&] { return RunStep(step, count, next, learning_rate); });
}

absl::StatusOr<StepRunner::BatchEvaluation> StepRunner::Evaluate(const Batch& batch,
                                                                 Evaluation evaluation) {
  return CatchTorch(
      [&]() -> absl::StatusOr<BatchEvaluation> { return RunEvaluation(batch, evaluation); });
}

void StepRunner::Bind(const std::vector<at::Tensor>& parameters) {
  const planner::Graph& graph = plan_.graph;
  const auto bind = [this](const std::vector<planner::ValueId>& values,
                           const std::vector<at::Tensor>& tensors) {
    for (size_t i = 0; i < tensors.size(); ++i) runner_->Bind(values[i], tensors[i]);
  };
  bind(graph.parameters(), parameters);
  bind(graph.buffers(), state_.buffers);
  bind(graph.constants(), state_.constants);
}

absl::StatusOr<StepResult> StepRunner::RunStep(int64_t step, int64_t count, const NextBatch& next,
                                               double learning_rate) {
  const at::NoGradGuard no_grad;
  Bind(state_.parameters);
  StepResult result{.loss_scale = scaler_.scale()};
  for (int64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(Batch batch, next());
    const int64_t samples = batch.size();
    // The last batch needs most, for the sums are there from the first on.
    if (options_.runner.timeline != nullptr) options_.runner.timeline->BeginStep();
    const int64_t batches_before = (step - 1) * plan_.request.accumulate_batches + i;
    rounder_.BeginStep(batches_before + 1);
    runner_->BeginStep(batches_before + 1);
    RunBatch(std::move(batch), result);
    if (options_.round) ObserveOverflows();
    if (count > 1) Accumulate(samples);
  }
  result.loss /= static_cast<double>(result.samples);
  result.loss_unrounded /= static_cast<double>(result.samples);
  if (!result.skipped) {
    const TimelineTask told(options_.runner.timeline, planner::Task::Kind::kBackward,
                            planner::kNoNode);
    double inverse_scale = 1 / scaler_.scale();
    if (count > 1) inverse_scale /= static_cast<double>(result.samples);
    if (plan_.request.clip_norm > 0) {
      result.gradient_norm = GradientNorm(inverse_scale);
      inverse_scale *= std::min(1.0, plan_.request.clip_norm / (result.gradient_norm + 1e-6));
    }
    ApplyGradients(inverse_scale, learning_rate);
  }
  runner_->DropGradients();
  for (at::Tensor& sum : sums_) sum.reset();
  scaler_.Update(result.skipped);
  result.promotion = promoter_.Promote();
  if (!result.promotion.promoted.empty()) RefreshFormats();
  return result;
}

void StepRunner::RunBatch(Batch batch, StepResult& result) {
  const int64_t samples = batch.size();
  GraphRunner::Output output = runner_->Forward(
      std::move(batch.inputs), batch.target,
      {.training = true, .round_values = options_.round, .round_parameters = options_.round});
  const LabelCounts counts =
      CountCorrect(std::exchange(output.result, {}), batch.target, plan_.graph, plan_.request.loss,
                   options_.runner.tile_bytes);
  for (size_t i = 0; i < state_.buffers.size(); ++i) {
    if (CountsBatches(plan_.graph.value(plan_.graph.buffers()[i]))) state_.buffers[i].add_(1);
  }
  // On a GPU the CPU runs ahead until here, where it has to know.
  runner_->Backward(scaler_.scale());
  if (!runner_->GradientsAreFinite()) result.skipped = true;
  result.samples += samples;
  result.loss += output.loss.item<double>() * static_cast<double>(samples);
  result.loss_unrounded += output.loss_unrounded.item<double>() * static_cast<double>(samples);
  if (!counts.labels.defined()) return;
  result.labels += counts.labels.item<int64_t>();
  result.correct += counts.correct.item<int64_t>();
}

void StepRunner::Accumulate(int64_t samples) {
  for (size_t i = 0; i < sums_.size(); ++i) {
    PackedTensor packed = runner_->TakeGradient(i);
    if (!packed.defined()) continue;
    at::Tensor gradient = packed.Unpack(Tile{}, at::kFloat);
    packed = {};
    if (sums_[i].defined()) {
      sums_[i].add_(gradient, samples);
    } else {
      sums_[i] = IsOwned(gradient) ? gradient.mul_(samples) : gradient.mul(samples);
      MemoryLedger::Process().Tag(sums_[i], planner::MemoryKind::kGradients);
    }
  }
}

at::Tensor StepRunner::GradientOf(size_t parameter, bool taken) {
  if (sums_[parameter].defined()) {
    return taken ? std::exchange(sums_[parameter], at::Tensor()) : sums_[parameter];
  }
  const PackedTensor packed =
      taken ? runner_->TakeGradient(parameter) : runner_->gradient(parameter);
  return packed.defined() ? packed.Unpack(Tile{}, at::kFloat) : at::Tensor();
}

double StepRunner::GradientNorm(double inverse_scale) {
  std::vector<at::Tensor> norms;
  for (size_t i = 0; i < state_.parameters.size(); ++i) {
    const at::Tensor gradient = GradientOf(i, /*taken=*/false);
    if (gradient.defined()) norms.push_back(gradient.norm());
  }
  return norms.empty() ? 0 : at::stack(norms).norm().item<double>() * inverse_scale;
}

// One parameter after the other, so that only one gradient is wide at a time.
void StepRunner::ApplyGradients(double inverse_scale, double learning_rate) {
  optimizer_->BeginStep();
  for (size_t i = 0; i < state_.parameters.size(); ++i) {
    const at::Tensor gradient = GradientOf(i, /*taken=*/true);
    if (!gradient.defined()) continue;
    if (inverse_scale != 1) gradient.mul_(inverse_scale);
    optimizer_->Update(i, state_.parameters[i], gradient, learning_rate);
    if (state_.averages.empty()) continue;
    state_.averages[i].lerp_(state_.parameters[i], 1 - plan_.request.ema_decay);
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
  Bind(state_.averages.empty() ? state_.parameters : state_.averages);
  const bool round = options_.round && evaluation != Evaluation::kFp32;
  GraphRunner::Output output =
      runner_->Forward(batch.inputs, batch.target,
                       {.training = false,
                        .round_values = round,
                        .round_parameters = round && evaluation == Evaluation::kAssigned});
  const LabelCounts counts =
      CountCorrect(std::exchange(output.result, {}), batch.target, plan_.graph, plan_.request.loss,
                   options_.runner.tile_bytes);
  BatchEvaluation result = {.loss = output.loss.item<double>(),
                            .loss_unrounded = output.loss_unrounded.item<double>()};
  if (!counts.labels.defined()) return result;
  result.labels = counts.labels.item<int64_t>();
  result.correct = counts.correct.item<int64_t>();
  return result;
}

}  // namespace mantissa::engine
