// planner/models/definition.h
//
// What a built-in network tells of itself; models.cc keeps the list.
//
//   const ModelDefinition& SqueezeNet();  // planner/models/squeezenet.h

#ifndef MANTISSA_PLANNER_MODELS_DEFINITION_H_
#define MANTISSA_PLANNER_MODELS_DEFINITION_H_

#include <cstdint>

#include "planner/graph/graph.h"
#include "planner/models/builder.h"
#include "planner/models/model_info.h"

namespace mantissa::planner {

// How a weight or bias of a convolution or linear layer starts. Fans are counted as PyTorch does:
// dimension 1 (in) or 0 (out) of the weight times its kernel's size, also with groups.
enum class InitRule {
  kZeros,
  kKaimingNormalFanIn,   // N(0, sqrt(2 / fan_in))
  kKaimingNormalFanOut,  // N(0, sqrt(2 / fan_out))
  kNormal001,            // N(0, 0.01)
  kTorchDefault,         // U(-1/sqrt(fan_in), 1/sqrt(fan_in)), weights and biases alike
};

struct ModelDefinition {
  ModelInfo info;
  InitRule conv_weight, conv_bias, linear_weight, linear_bias;
  // Side of the last feature map, before its average pool, for a side of the input.
  int64_t (*final_map_size)(int64_t input_size);
  // Appends the network to `net`; returns the logits [N, classes]. REQUIRES: width is on offer,
  // the final map is at least 4x4.
  ValueId (*build)(GraphBuilder& net, double width, int64_t classes);
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_MODELS_DEFINITION_H_
