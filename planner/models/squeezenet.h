// planner/models/squeezenet.h
//
// SqueezeNet for small images: eight fire modules with batch norm, three max-pools, a 1x1
// convolution to the classes and an average pool (Iandola et al., 2016; variant of Lee, Sharma,
// Aiken, TMLR 2023).
//
//   const ModelInfo& info = SqueezeNet().info;

#ifndef MANTISSA_PLANNER_MODELS_SQUEEZENET_H_
#define MANTISSA_PLANNER_MODELS_SQUEEZENET_H_

#include "planner/models/definition.h"

namespace mantissa::planner {

const ModelDefinition& SqueezeNet();

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_MODELS_SQUEEZENET_H_
