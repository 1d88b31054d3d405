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
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "planner/plan.h"
#include "server/data/dataset.h"

namespace mantissa::engine {

enum class OptimizerKind { kSgd, kAdamW };
enum class ScheduleKind { kCosine, kStep, kConstant };
enum class RoundingMode { kNearestEven, kNearestAway, kStochastic, kReference };
enum class AugmentKind { kNone, kCropFlip, kCrop };

struct TrainingOptions {
  int epochs = 200;
  int64_t max_steps = 0;  // 0: no limit but epochs
  int64_t batch_size = 128;
  OptimizerKind optimizer = OptimizerKind::kSgd;
  double learning_rate = 0.1;
  double momentum = 0.9;
  double weight_decay = 5e-4;
  ScheduleKind schedule = ScheduleKind::kCosine;
  int schedule_epochs = 0;  // 0: epochs
  int step_epochs = 30;
  double step_gamma = 0.1;
  int warmup_epochs = 0;
  double label_smoothing = 0;
  double loss_scale = 65536;
  bool dynamic_loss_scale = true;
  // Above 1: never.
  double promotion_threshold = 0.01;
  RoundingMode rounding = RoundingMode::kNearestEven;
  uint64_t seed = 0;
  bool shuffle = true;
  AugmentKind augment = AugmentKind::kNone;
  int evaluate_every = 1;  // epochs
  int threads = 0;         // 0: LibTorch's choice
  // Policy none: nothing is rounded and nothing promoted.
  bool round = true;
  // Path of a .safetensors file with weights to start from; empty: the model's initialisation.
  std::string init_path;
  // For the model's initialisation.
  planner::ModelOptions model;
  // Path of a checkpoint to go on from; empty: from the start.
  std::string resume_path;
  // Where checkpoints and final weights are written; an existing folder.
  std::string output_dir;
};

struct PromotedTensor {
  planner::TensorKind kind;  // kActivation or kParameter
  std::string name;
  double overflow_ratio;
};

// One line of history.jsonl.
struct StepRecord {
  int64_t step = 0;  // from 1
  int64_t total_steps = 0;
  int epoch = 0;  // from 0
  double loss = 0;           // in the loss tensor's format
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
};

struct EvaluationRecord {
  int epoch = 0;
  int64_t step = 0;
  int64_t samples = 0;
  double accuracy = 0, loss = 0;            // activations and weights rounded
  double accuracy_fp32 = 0, loss_fp32 = 0;  // everything in fp32
};

// Called from the training thread. A status that is not OK ends the training with it.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  // All is loaded; the first step begins.
  virtual absl::Status OnStart(int64_t total_steps, int64_t first_step) = 0;
  virtual absl::Status OnStep(const StepRecord& record) = 0;
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
};

// InvalidArgument where data, weights and graph do not fit, naming what and the remedy;
// ResourceExhausted where memory ran out; Aborted where the loss scale is at its floor or the loss
// is not finite; Cancelled. Equal input gives equal weights bit for bit.
absl::StatusOr<TrainingResult> Train(planner::Plan& plan, const data::LoadedDataset& data,
                                     const TrainingOptions& options, TrainingObserver& observer);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_TRAINER_H_
