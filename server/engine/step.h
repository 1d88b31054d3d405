// One training step (Lee, Sharma, Aiken, TMLR 2023): round theta, forward, backward from the loss
// scale, round dtheta, look for what is not finite, unscale and update or skip, adapt the scale,
// promote.
//
//   ASSIGN_OR_RETURN(auto runner, StepRunner::Create(plan, state, options));
//   ASSIGN_OR_RETURN(StepResult result, runner->Step(step, std::move(batch), learning_rate));
//
// Not thread-safe.
#ifndef MANTISSA_SERVER_ENGINE_STEP_H_
#define MANTISSA_SERVER_ENGINE_STEP_H_

#include <cstdint>
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
  at::Tensor images;  // [N, C, H, W], float32
  at::Tensor labels;  // [N], int64
};

struct StepResult {
  double loss = 0;            // in the loss tensor's format
  double loss_unrounded = 0;  // mean of the rounded log-probabilities
  int64_t correct = 0;        // of the batch
  double loss_scale = 0;      // used in the step
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

  // `step` counts from 1; random rounding depends on it. ResourceExhausted if memory ran out. A
  // batch that is moved here is gone once it is stored in its format.
  absl::StatusOr<StepResult> Step(int64_t step, Batch batch, double learning_rate);

  // How much of the training the forward pass of an evaluation shares.
  enum class Evaluation {
    kAssigned,        // v and theta rounded as assigned
    kAssignedValues,  // v rounded, theta not: what the paper's program reports
    kFp32,            // nothing rounded
  };
  struct BatchEvaluation {
    double loss = 0, loss_unrounded = 0;
    int64_t correct = 0;
  };
  // With the running statistics; changes nothing.
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
  StepResult RunStep(int64_t step, Batch batch, double learning_rate);
  BatchEvaluation RunEvaluation(const Batch& batch, Evaluation evaluation);
  void BindState();
  void ApplyGradients(double learning_rate);
  void ObserveOverflows();

  planner::Plan& plan_;
  ModelState& state_;
  const StepOptions options_;
  Rounder rounder_;
  std::unique_ptr<GraphRunner> runner_;
  std::unique_ptr<Optimizer> optimizer_;
  LossScaler scaler_;
  Promoter promoter_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_STEP_H_
