#include "tests/reference/replay.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "ATen/core/Tensor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "server/engine/batches.h"
#include "server/engine/evaluator.h"
#include "server/engine/model_state.h"
#include "server/engine/schedule.h"
#include "server/engine/step.h"

namespace mantissa::reference {
namespace {

using engine::StepRunner;
using planner::TensorKind;

// The recorded evaluations take batches of 64, whatever the training's.
constexpr int64_t kEvaluationBatch = 64;

double SquaredNorm(const at::Tensor& tensor) {
  const at::Tensor values = tensor.contiguous();
  const float* const data = values.const_data_ptr<float>();
  double sum = 0;
  for (int64_t i = 0; i < values.numel(); ++i) sum += double{data[i]} * data[i];
  return sum;
}

// Norms and counts of every tensor of a step, and the norm of all parameter gradients.
class TensorRecorder : public engine::RoundingProbe {
 public:
  explicit TensorRecorder(const planner::Graph& graph) : graph_(graph) {}

  void OnRounding(const engine::RoundingSite& site, const at::Tensor&,
                  const at::Tensor& after) override {
    const double squared = SquaredNorm(after);
    if (site.kind == TensorKind::kParameterGradient) gradients_ += squared;
    if (!first_step_) return;
    tensors_[KeyOf(site)] = {.norm = std::sqrt(squared),
                             .has_counts = site.format != kernels::kFp32,
                             .underflow = site.counts.underflow,
                             .overflow = site.counts.overflow};
  }

  void EndStep() {
    first_step_ = false;
    gradients_ = 0;
  }
  double gradient_norm() const { return std::sqrt(gradients_); }
  std::map<std::string, RecordedTensor>& tensors() { return tensors_; }

 private:
  std::string KeyOf(const engine::RoundingSite& site) const {
    const std::string& name = graph_.value(site.value).name;
    switch (site.kind) {
      case TensorKind::kActivation:
        return TensorKey("v", name);
      case TensorKind::kParameter:
        return TensorKey("theta", name);
      case TensorKind::kParameterGradient:
        return TensorKey("dtheta", name);
      case TensorKind::kActivationGradient:
        return TensorKey("dv", name, graph_.node(site.consumer).name, site.consumer_input);
    }
    return "";
  }

  const planner::Graph& graph_;
  bool first_step_ = true;
  double gradients_ = 0;
  std::map<std::string, RecordedTensor> tensors_;
};

engine::StepOptions StepOptionsOf(const RecordedRun& run, int64_t steps_per_epoch) {
  const bool dynamic = run.scale_growth_epochs > 0;
  return {
      .rounding = kernels::Rounding::kReference,
      // Also with policy none: fp32 tensors stay as they are, and are recorded.
      .round = true,
      .batch_size = run.batch_size,
      .promotion_threshold = run.promotion_threshold < 0 ? 2.0 : run.promotion_threshold,
      .loss_scale = {.scale = run.loss_scale,
                     .dynamic = dynamic,
                     .growth_interval = dynamic ? steps_per_epoch * run.scale_growth_epochs : 1},
      .optimizer = {.kind = planner::OptimizerKind::kSgd,
                    .momentum = run.momentum,
                    .weight_decay = run.weight_decay}};
}

double ParameterNorm(const engine::ModelState& state) {
  double sum = 0;
  for (const at::Tensor& parameter : state.parameters) sum += SquaredNorm(parameter);
  return std::sqrt(sum);
}

std::string PromotionName(const engine::PromotedTensor& promoted) {
  return absl::StrCat(promoted.kind == TensorKind::kActivation ? "v " : "theta ", promoted.name);
}

absl::Status EvaluateAll(StepRunner& runner, engine::BatchSource& test, int epoch, Replay& replay) {
  const std::pair<StepRunner::Evaluation, const char*> kinds[] = {
      {StepRunner::Evaluation::kAssignedValues, "cur_as_published"},
      {StepRunner::Evaluation::kAssigned, "cur_with_rounded_weights"},
      {StepRunner::Evaluation::kFp32, "fp32"}};
  for (const auto& [evaluation, kind] : kinds) {
    ASSIGN_OR_RETURN(const engine::EvaluationResult result,
                     engine::Evaluate(runner, test, evaluation));
    replay.evaluations.push_back({.epoch = epoch,
                                  .kind = kind,
                                  .loss = result.loss,
                                  .loss_before_rounding = result.loss_unrounded,
                                  .correct = result.correct,
                                  .samples = result.samples});
  }
  return absl::OkStatus();
}

RecordedStep Record(const engine::StepResult& result, double learning_rate, StepRunner& runner,
                    const engine::ModelState& state, double scaled_gradient_norm, Replay& replay) {
  RecordedStep step{.learning_rate = learning_rate,
                    .loss = result.loss,
                    .loss_before_rounding = result.loss_unrounded,
                    .scale = result.loss_scale,
                    .scale_after = runner.scaler().scale(),
                    .gradient_norm = scaled_gradient_norm / result.loss_scale,
                    .parameter_norm = ParameterNorm(state),
                    .correct = result.correct,
                    .bits = runner.promoter().bits(),
                    .skipped = result.skipped};
  for (const engine::PromotedTensor& promoted : result.promotion.promoted) {
    step.promoted.push_back(PromotionName(promoted));
    replay.promotion_ratios[step.promoted.back()] = promoted.overflow_ratio;
  }
  std::sort(step.promoted.begin(), step.promoted.end());
  return step;
}

}  // namespace

absl::StatusOr<Replay> ReplayRun(const Recording& recording, const RecordedRun& run) {
  const absl::Duration start = RealClock().Monotonic();
  Replay replay;
  ASSIGN_OR_RETURN(planner::Plan plan, PlanOf(run));
  replay.plan_differences = PlanDifferences(run, plan);
  engine::ModelState state = engine::EmptyState(plan.graph);
  RETURN_IF_ERROR(
      engine::LoadState(RealFileSystem(), JoinPath(recording.folder, run.init), plan.graph, state));
  engine::BatchSource train(recording.data, *recording.data.train, {.batch_size = run.batch_size});
  engine::BatchSource test(recording.data, *recording.data.test, {.batch_size = kEvaluationBatch});
  ASSIGN_OR_RETURN(auto runner,
                   StepRunner::Create(plan, state, StepOptionsOf(run, train.batches())));
  TensorRecorder recorder(plan.graph);
  const engine::ScheduleOptions schedule{.base = run.learning_rate, .epochs = run.cosine_epochs};

  for (int epoch = 0; epoch < run.epochs; ++epoch) {
    const double learning_rate = engine::LearningRate(schedule, epoch);
    for (int64_t i = 0; i < train.batches() && replay.steps.size() < run.steps.size(); ++i) {
      runner->set_probe(&recorder);
      ASSIGN_OR_RETURN(engine::Batch batch, train.Load(epoch, i));
      ASSIGN_OR_RETURN(const engine::StepResult result,
                       runner->Step(static_cast<int64_t>(replay.steps.size()) + 1, std::move(batch),
                                    learning_rate));
      runner->set_probe(nullptr);
      replay.steps.push_back(
          Record(result, learning_rate, *runner, state, recorder.gradient_norm(), replay));
      recorder.EndStep();
    }
    RETURN_IF_ERROR(EvaluateAll(*runner, test, epoch, replay));
  }
  replay.first_tensors = std::move(recorder.tensors());
  for (size_t i = 0; i < state.parameters.size(); ++i) {
    replay.final_weights[plan.graph.value(plan.graph.parameters()[i]).name] =
        std::sqrt(SquaredNorm(state.parameters[i]));
  }
  replay.seconds = absl::ToDoubleSeconds(RealClock().Monotonic() - start);
  return replay;
}

}  // namespace mantissa::reference
