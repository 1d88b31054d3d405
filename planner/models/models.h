// planner/models/models.h
//
// The built-in networks: functions that emit a Graph. The four are the CIFAR variants of the paper.
//
//   ASSIGN_OR_RETURN(Graph graph, BuildModel({.name = "resnet18", .width = 0.25, .classes = 100}));
//
// Parameter and buffer names are PyTorch's ("layer1.0.conv1.weight", "bn1.running_mean").

#ifndef MANTISSA_PLANNER_MODELS_MODELS_H_
#define MANTISSA_PLANNER_MODELS_MODELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

struct ModelOptions {
  // squeezenet, shufflenet_v2, mobilenet_v2, resnet18.
  std::string name;
  double width = 1.0;
  // 2 to 1,000,000.
  int64_t classes = 10;
  // [C, H, W]; the final map must be at least 4x4.
  std::vector<int64_t> input_shape = {3, 32, 32};
};

struct ModelInfo {
  std::string name;
  std::string summary;
  std::vector<double> widths;  // ascending
  int64_t min_input_size;      // pixels
};

// Sorted by name.
const std::vector<ModelInfo>& BuiltinModels();

// The graph up to the logits, no loss. NotFound names the models there are; InvalidArgument the
// option that is out of range and what is allowed.
absl::StatusOr<Graph> BuildModel(const ModelOptions& options);

// How a parameter or buffer starts (paper's program; He et al. 2015 for Kaiming).
struct Initializer {
  enum class Kind {
    kZeros,
    kOnes,
    kNormal,          // N(0, scale)
    kUniform,         // U(-scale, scale)
  };
  Kind kind = Kind::kZeros;
  double scale = 0;
};
// One for each of graph.parameters(), in order.
absl::StatusOr<std::vector<Initializer>> InitializersOf(const ModelOptions& options,
                                                        const Graph& graph);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_MODELS_MODELS_H_
