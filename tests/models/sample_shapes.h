// Sizes of a model's inputs, for one sample.
#ifndef MANTISSA_TESTS_MODELS_SAMPLE_SHAPES_H_
#define MANTISSA_TESTS_MODELS_SAMPLE_SHAPES_H_

#include <cstdint>
#include <vector>

#include "planner/graph/graph.h"

namespace mantissa::model_replay {

// Which dimension is the batch; -1: none.
int64_t BatchDimension(const planner::Shape& shape);

// Sizes of one sample: those of the value without the batch, or all of a multiple of it.
std::vector<int64_t> SampleSizes(const planner::Shape& shape);

// Whether an input is what it usually is where nothing is said of it: a mask, positions, types.
bool IsCustomary(const planner::Value& input);

}  // namespace mantissa::model_replay

#endif  // MANTISSA_TESTS_MODELS_SAMPLE_SHAPES_H_
