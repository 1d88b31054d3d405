#include "server/engine/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mantissa::engine {

double LearningRate(const ScheduleOptions& options, int epoch) {
  if (epoch < options.warmup_epochs) {
    return options.base * (epoch + 1) / (options.warmup_epochs + 1);
  }
  const int elapsed = epoch - options.warmup_epochs;
  switch (options.kind) {
    case ScheduleKind::kConstant:
      return options.base;
    case ScheduleKind::kStep:
      return options.base * std::pow(options.step_gamma, elapsed / options.step_epochs);
    case ScheduleKind::kCosine:
      break;
  }
  const double done = static_cast<double>(std::min(elapsed, options.epochs)) / options.epochs;
  return options.base * (1 + std::cos(std::numbers::pi * done)) / 2;
}

}  // namespace mantissa::engine
