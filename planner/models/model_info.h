// planner/models/model_info.h
//
// What people may know of a built-in network before it is built.
//
//   for (const ModelInfo& info : BuiltinModels()) Print(info.name, info.summary);

#ifndef MANTISSA_PLANNER_MODELS_MODEL_INFO_H_
#define MANTISSA_PLANNER_MODELS_MODEL_INFO_H_

#include <cstdint>
#include <string>
#include <vector>

namespace mantissa::planner {

struct ModelInfo {
  std::string name;
  std::string summary;
  std::vector<double> widths;  // ascending
  int64_t min_input_size;      // pixels
  // Where none are asked for: [C, H, W], and classes to describe the model with.
  std::vector<int64_t> default_input_shape = {3, 32, 32};
  int64_t default_classes = 10;
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_MODELS_MODEL_INFO_H_
