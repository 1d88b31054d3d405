// server/engine/trainer.h
//
// Trains a planned graph on a data set (Lee, Sharma, Aiken, TMLR 2023), step by step.
//
//   ASSIGN_OR_RETURN(TrainingResult result, Train(plan, data, options, observer));
//
// LibTorch is behind this header, not in it. One training at a time in a process.

#ifndef MANTISSA_SERVER_ENGINE_TRAINER_H_
#define MANTISSA_SERVER_ENGINE_TRAINER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "planner/cost/memory.h"
#include "planner/plan.h"
#include "server/data/dataset.h"
#include "server/engine/options.h"
#include "server/engine/promotion.h"

namespace mantissa::engine {

// One line of history.jsonl.
struct StepRecord {
  int64_t step = 0;  // from 1
  int64_t total_steps = 0;
  int epoch = 0;  // from 0
  // In the loss tensor's format, and the mean of the rounded log-probabilities that it came from.
  // A skipped step's may be NaN.
  double loss = 0;
  double loss_unrounded = 0;
  double learning_rate = 0;
  double loss_scale = 0;  // used in the step
  bool skipped = false;
  std::vector<PromotedTensor> promoted;  // in force from the next step on
  int64_t bits = 0;                      // all tensors, after the step's promotions
  double ratio_low_bits = 0;
  double max_overflow_ratio = 0;  // of a v or theta
  int64_t samples = 0;
  double seconds = 0;
  int64_t peak_memory_bytes = 0;  // the most tensor bytes at one time in the step
};

// The step that needed most memory so far, operator by operator.
struct MemoryRecord {
  int64_t step = 0;
  std::string device;  // "cpu" or the name of the GPU
  planner::MemoryForecast measured;
  planner::MemoryForecast predicted;  // for the assignment of that step
};

// On the test samples, of the averaged weights where a training has them. The losses are means over
// samples or labels, before they are rounded.
struct EvaluationRecord {
  int epoch = 0;     // from 0: the one just done
  int64_t step = 0;  // steps done
  int64_t samples = 0;
  // Activations and weights rounded; no accuracy where targets are no labels.
  std::optional<double> accuracy;
  double loss = 0;
  // Everything in fp32.
  std::optional<double> accuracy_fp32;
  double loss_fp32 = 0;
};

// Called from the training thread. A status that is not OK ends the training with it.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  // All is loaded; the first step begins.
  virtual absl::Status OnStart(int64_t total_steps, int64_t first_step) = 0;
  virtual absl::Status OnStep(const StepRecord& record) = 0;
  // After the second step, and whenever a step needs over 1 % more than was told before. A training
  // of one step tells of that.
  virtual absl::Status OnMemory(const MemoryRecord& record) = 0;
  virtual absl::Status OnEvaluation(const EvaluationRecord& record) = 0;
  // A checkpoint is complete at `path`; written after each epoch that has lasted long enough.
  virtual absl::Status OnCheckpoint(const std::string& path, int64_t step) = 0;
  // Asked before each step: true ends the training with absl::CancelledError.
  virtual bool Cancelled() = 0;
};

struct TrainingResult {
  EvaluationRecord final_evaluation;
  int64_t steps = 0;
  int64_t skipped_steps = 0;
  int64_t promoted_tensors = 0;
  double seconds = 0;
  std::string weights_path;  // output_dir/weights.safetensors
  // output_dir/weights_ema.safetensors, the averaged weights; empty where there are none.
  std::string ema_weights_path;
};

// InvalidArgument where data, weights and graph do not fit, naming what and the remedy;
// ResourceExhausted where memory ran out; Aborted where the training diverged (LossScaler);
// Cancelled. Equal input gives equal weights bit for bit, on one machine and number of threads.
// `plan` is changed by promotions. REQUIRES: the plan is as MakePlan gives it.
absl::StatusOr<TrainingResult> Train(planner::Plan& plan, const data::LoadedDataset& data,
                                     const TrainingOptions& options, TrainingObserver& observer);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_TRAINER_H_
