// One training step (Lee, Sharma, Aiken, TMLR 2023): round theta, forward, backward from the loss
// scale, round dtheta, look for what is not finite, unscale and update or skip, adapt the scale,
// promote.
//
//   ASSIGN_OR_RETURN(auto runner, StepRunner::Create(plan, state, options));
//   ASSIGN_OR_RETURN(StepResult result, runner->Step(step, std::move(batch), learning_rate));
//
// What the plan's request asks for besides:
//   accumulate_batches  a step of several batches. The rounded dtheta of each, times its samples,
//                       is added to a sum in float32 (4 bytes an element); the update takes that
//                       over all samples: what one batch of them all would give, but for batch
//                       norm, whose statistics are each batch's. One gradient that is not finite
//                       skips the step.
//   clip_norm           gradients are scaled so that their L2 norm, over all parameters and
//                       unscaled, is at most that.
//   ema_decay           ModelState::averages move by (1 - decay) towards the weights after each
//                       update; evaluation takes them.
//
// Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_STEP_H_
#define MANTISSA_SERVER_ENGINE_STEP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "planner/plan.h"
#include "server/engine/graph_runner.h"
#include "server/engine/loss_scaler.h"
#include "server/engine/model_state.h"
#include "server/engine/optimizer.h"
#include "server/engine/promotion.h"
#include "server/engine/rounding.h"

namespace mantissa::engine {

struct Batch {
  std::vector<at::Tensor> inputs;  // of the graph, in its order; dimension 0 is samples
  at::Tensor target;
  int64_t size() const { return target.size(0); }
};

struct StepResult {
  double loss = 0;            // in the loss tensor's format
  double loss_unrounded = 0;  // mean of the rounded log-probabilities
  int64_t samples = 0;
  // Where targets are labels: those that are not ignored, and for how many of them the model
  // returns the most. Else 0.
  int64_t labels = 0, correct = 0;
  double loss_scale = 0;     // used in the step
  double gradient_norm = 0;  // before it was clipped; 0 where it is not asked for
  bool skipped = false;
  Promoter::Outcome promotion;
};

struct StepOptions {
  kernels::Rounding rounding = kernels::Rounding::kNearestEven;
  uint64_t seed = 0;
  // False: everything in fp32.
  bool round = true;
  int64_t batch_size = 128;
  // Above 1: never.
  double promotion_threshold = 0.01;
  LossScaler::Options loss_scale;
  OptimizerOptions optimizer;
  // How tensors are held, and what is computed twice.
  RunnerOptions runner;
};

class StepRunner {
 public:
  // `plan` and `state` are changed by each step and must outlive the runner. InvalidArgument where
  // the graph cannot be run.
  static absl::StatusOr<std::unique_ptr<StepRunner>> Create(planner::Plan& plan, ModelState& state,
                                                            const StepOptions& options);

  // `step` counts from 1; what is random depends on it. ResourceExhausted if memory ran out. A
  // batch that is moved here is gone once it is stored in its format.
  absl::StatusOr<StepResult> Step(int64_t step, Batch batch, double learning_rate);

  // A step of `count` batches, each asked for when the one before is done.
  // REQUIRES: 1 <= count <= accumulate_batches of the plan's request.
  using NextBatch = std::function<absl::StatusOr<Batch>()>;
  absl::StatusOr<StepResult> Step(int64_t step, int64_t count, const NextBatch& next,
                                  double learning_rate);

  // How much of the training the forward pass of an evaluation shares.
  enum class Evaluation {
    kAssigned,        // v and theta rounded as assigned
    kAssignedValues,  // v rounded, theta not: what the paper's program reports
    kFp32,            // nothing rounded
  };
  struct BatchEvaluation {
    double loss = 0, loss_unrounded = 0;
    int64_t labels = 0, correct = 0;  // as in StepResult
  };
  // With the running statistics and, where there are any, the averaged weights; changes nothing.
  absl::StatusOr<BatchEvaluation> Evaluate(const Batch& batch, Evaluation evaluation);

  // Not owned; null: none.
  void set_probe(RoundingProbe* probe);

  Promoter& promoter() { return promoter_; }
  LossScaler& scaler() { return scaler_; }
  Optimizer& optimizer() { return *optimizer_; }
  // After promotions were restored from a checkpoint.
  void RefreshFormats();

 private:
  StepRunner(planner::Plan& plan, ModelState& state, const StepOptions& options);
  absl::StatusOr<StepResult> RunStep(int64_t step, int64_t count, const NextBatch& next,
                                     double learning_rate);
  // Forward and backward; the sums of `result` grow.
  void RunBatch(Batch batch, StepResult& result);
  BatchEvaluation RunEvaluation(const Batch& batch, Evaluation evaluation);
  void Bind(const std::vector<at::Tensor>& parameters);
  // Adds dtheta, times the samples it is the mean of, to the sums.
  void Accumulate(int64_t samples);
  // The gradient of a parameter, still scaled; undefined where there is none. Taken: for good.
  at::Tensor GradientOf(size_t parameter, bool taken);
  double GradientNorm(double inverse_scale);
  void ApplyGradients(double inverse_scale, double learning_rate);
  void ObserveOverflows();

  planner::Plan& plan_;
  ModelState& state_;
  const StepOptions options_;
  Rounder rounder_;
  std::unique_ptr<GraphRunner> runner_;
  std::unique_ptr<Optimizer> optimizer_;
  LossScaler scaler_;
  Promoter promoter_;
  std::vector<at::Tensor> sums_;  // by parameter: of a step of several batches
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_STEP_H_
