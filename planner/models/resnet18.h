// planner/models/resnet18.h
//
// ResNet-18 for small images: a 3x3 stem with stride 1 and no max-pool, four layers of two basic
// blocks, average pool 4, linear (He et al., CVPR 2016; variant of Lee, Sharma, Aiken, TMLR 2023).
//
//   const ModelInfo& info = ResNet18().info;

#ifndef MANTISSA_PLANNER_MODELS_RESNET18_H_
#define MANTISSA_PLANNER_MODELS_RESNET18_H_

#include "planner/models/definition.h"

namespace mantissa::planner {

const ModelDefinition& ResNet18();

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_MODELS_RESNET18_H_
