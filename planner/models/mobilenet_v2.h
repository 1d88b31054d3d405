// planner/models/mobilenet_v2.h
//
// MobileNet-v2 for small images: inverted residual blocks with plain ReLU and, where a block keeps
// the resolution but not the channels, a projected shortcut (Sandler et al., CVPR 2018; variant of
// Lee, Sharma, Aiken, TMLR 2023).
//
//   const ModelInfo& info = MobileNetV2().info;

#ifndef MANTISSA_PLANNER_MODELS_MOBILENET_V2_H_
#define MANTISSA_PLANNER_MODELS_MOBILENET_V2_H_

#include "planner/models/definition.h"

namespace mantissa::planner {

const ModelDefinition& MobileNetV2();

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_MODELS_MOBILENET_V2_H_
