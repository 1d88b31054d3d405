// Learning rate by epoch. It is stepped once an epoch, as in the paper's training.
//
//   ScheduleOptions options{.kind = ScheduleKind::kCosine, .base = 0.1, .epochs = 200};
//   LearningRate(options, 0);    // 0.1
//   LearningRate(options, 100);  // 0.05
//
// Pure.
#ifndef MANTISSA_SERVER_ENGINE_SCHEDULE_H_
#define MANTISSA_SERVER_ENGINE_SCHEDULE_H_

#include "server/engine/options.h"

namespace mantissa::engine {

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::kCosine;
  double base = 0.1;
  // Over which the cosine falls to zero; it stays there. At least 1.
  int epochs = 200;
  // Epochs between two steps of kStep, at least 1, and what each multiplies the rate with.
  int step_epochs = 30;
  double step_gamma = 0.1;
  // Epochs before the schedule begins, in which the rate rises linearly:
  // base * (epoch + 1) / (warmup_epochs + 1).
  int warmup_epochs = 0;
};

// REQUIRES: epoch >= 0, counted from the start of the training.
double LearningRate(const ScheduleOptions& options, int epoch);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_SCHEDULE_H_
