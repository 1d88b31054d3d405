// server/engine/memory_baselines.h
//
// What a training would have needed otherwise: in fp32, with every tensor in 16 bits, with the
// paper's operator-based assignment. For each, one step on random samples is run and measured.
//
//   const std::vector<BaselineMemory> baselines =
//       MeasureBaselines(plan, options, {.slowest_step_seconds = 0.2});
//
// LibTorch is behind this header, not in it.

#ifndef MANTISSA_SERVER_ENGINE_MEMORY_BASELINES_H_
#define MANTISSA_SERVER_ENGINE_MEMORY_BASELINES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "planner/plan.h"
#include "server/engine/options.h"

namespace mantissa::engine {

struct BaselineMemory {
  std::string name;  // as in plan.baselines
  int64_t peak_bytes = 0;
  // Else predicted: it would have needed more than half of the free memory, would have taken too
  // long, or failed.
  bool measured = false;
};

struct BaselineOptions {
  // Of the training itself. Where one of its steps took longer than 20 seconds, nothing is
  // measured.
  double slowest_step_seconds = 0;
  // Asked before each: true ends the measuring. Empty: never.
  std::function<bool()> stop;
};

// One a plan.baselines, in that order; whatever goes wrong, its prediction is returned.
// REQUIRES: no training runs, and `options` are those of `plan`'s.
std::vector<BaselineMemory> MeasureBaselines(const planner::Plan& plan,
                                             const TrainingOptions& options,
                                             const BaselineOptions& baseline_options);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_MEMORY_BASELINES_H_
