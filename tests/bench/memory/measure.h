// Tensor bytes of one training step as they are, point by point as planner::MemoryForecast has
// them: what forecasts are held against.
//
//   const planner::MemoryForecast measured = MeasureStep(plan);
//   double ratio = plan.memory.peak_bytes / static_cast<double>(measured.peak_bytes);

#ifndef MANTISSA_TESTS_BENCH_MEMORY_MEASURE_H_
#define MANTISSA_TESTS_BENCH_MEMORY_MEASURE_H_

#include "planner/plan.h"

namespace mantissa::engine {

// The first step on a batch of `plan`'s size, on the CPU. The model's own initialisation; images
// from -2 to 2. One at a time.
planner::MemoryForecast MeasureStep(planner::Plan plan);

}  // namespace mantissa::engine

#endif  // MANTISSA_TESTS_BENCH_MEMORY_MEASURE_H_
