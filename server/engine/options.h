// What a training can be told, apart from the model and its plan. Plain data.
//
//   TrainingOptions options{.epochs = 10, .batch_size = 64, .seed = 7};
#ifndef MANTISSA_SERVER_ENGINE_OPTIONS_H_
#define MANTISSA_SERVER_ENGINE_OPTIONS_H_

#include <cstdint>
#include <string>

#include "planner/cost/moments.h"
#include "planner/models/models.h"

namespace mantissa::engine {

enum class DeviceChoice { kAuto, kCpu, kCuda };
enum class ScheduleKind { kCosine, kStep, kConstant };
enum class RoundingMode { kNearestEven, kNearestAway, kStochastic, kReference };
enum class AugmentKind { kNone, kCropFlip, kCrop, kFlip, kResizedCrop, kResizedCropFlip };

struct AugmentOptions {
  AugmentKind kind = AugmentKind::kNone;
  // Black pixels (zeros where images are float32) around an image before kCrop and kCropFlip cut
  // its size out of it.
  int64_t padding = 4;
  // Smallest share of the area that kResizedCrop and kResizedCropFlip take, to 1.0.
  double min_area = 0.08;
  // Mix-up: a sample and its target become weight times themselves and (1 - weight) times another
  // of the set, the weight from Beta(alpha, alpha) (Zhang et al., ICLR 2018). 0: none.
  double mixup_alpha = 0;
};

enum class Storage {
  kPacked,    // in the bytes of its format
  kEmulated,  // rounded all the same, but in float32: for comparing with kPacked, bit for bit
};

struct TrainingOptions {
  int epochs = 200;
  int64_t max_steps = 0;  // 0: no limit but epochs
  // Samples a step. The last step of an epoch takes what is left, be it fewer.
  int64_t batch_size = 128;
  planner::OptimizerKind optimizer = planner::OptimizerKind::kSgd;
  double learning_rate = 0.1;
  double momentum = 0.9;  // of SGD; AdamW takes 0.9 and 0.999
  double weight_decay = 5e-4;
  // Of the moments.
  planner::OptimizerStateWidth optimizer_state = planner::OptimizerStateWidth::kFp32;
  ScheduleKind schedule = ScheduleKind::kCosine;
  int schedule_epochs = 0;  // of the cosine, after the warm-up; 0: all epochs after it
  int step_epochs = 30;
  double step_gamma = 0.1;
  int warmup_epochs = 0;
  // What the plan's graph was made with.
  double label_smoothing = 0;
  double loss_scale = 65536;
  bool dynamic_loss_scale = true;
  // Above 1: never.
  double promotion_threshold = 0.01;
  RoundingMode rounding = RoundingMode::kNearestEven;
  // Of weights, order, augmentation and stochastic rounding.
  uint64_t seed = 0;
  bool shuffle = true;
  AugmentOptions augment;
  int loader_threads = 0;  // that read samples ahead; 0: one, or as many as there are for decoding
  int evaluate_every = 1;  // epochs; the last one is always evaluated
  int threads = 0;         // 0: LibTorch's choice
  DeviceChoice device = DeviceChoice::kCpu;
  // Policy none: nothing is rounded and nothing promoted.
  bool round = true;
  Storage storage = Storage::kPacked;
  // Path of a .safetensors file with weights to start from; empty: the model's initialisation.
  std::string init_path;
  // Path of the .pt2 archive that an uploaded model came in: its weights, where init_path is empty,
  // and its constants. Empty with a built-in model.
  std::string archive_path;
  // For the model's initialisation.
  planner::ModelOptions model;
  // Path of a checkpoint to go on from; empty: from the start.
  std::string resume_path;
  // Where checkpoints and final weights are written; an existing folder. Empty: nothing is written.
  std::string output_dir;
  // Checkpoints are written at the end of an epoch, if this many seconds have gone by since the
  // last one; below 0: never.
  double checkpoint_seconds = 10;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_OPTIONS_H_
