// planner/models/shufflenet_v2.h
//
// ShuffleNet-v2 for small images: a 3x3 stem with stride 1 and no max-pool, three layers of a down
// block and basic blocks that split, work on one half and shuffle (Ma et al., ECCV 2018; variant
// of Lee, Sharma, Aiken, TMLR 2023).
//
//   const ModelInfo& info = ShuffleNetV2().info;

#ifndef MANTISSA_PLANNER_MODELS_SHUFFLENET_V2_H_
#define MANTISSA_PLANNER_MODELS_SHUFFLENET_V2_H_

#include "planner/models/definition.h"

namespace mantissa::planner {

const ModelDefinition& ShuffleNetV2();

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_MODELS_SHUFFLENET_V2_H_
