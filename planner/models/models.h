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
#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"
#include "planner/models/model_info.h"

namespace mantissa::planner {

struct ModelOptions {
  // squeezenet, shufflenet_v2, mobilenet_v2, resnet18.
  std::string name;
  double width = 1.0;
  // 2 to 1,000,000.
  int64_t classes = 10;
  // [C, H, W]; C 1 to 4096, H and W up to 4096. The last feature map must be at least 4x4 (so
  // ModelInfo::min_input_size); it is average-pooled in 4x4 windows. Where that leaves more than
  // 1x1, the linear layer reads all of it (in_features = channels * h * w); SqueezeNet, which has
  // none, pools all of it.
  std::vector<int64_t> input_shape = {3, 32, 32};
};

// Sorted by name.
const std::vector<ModelInfo>& BuiltinModels();

// One of them by name, for good. NotFound names those there are.
absl::StatusOr<const ModelInfo*> FindBuiltinModel(absl::string_view name);

// The graph up to the logits, no loss. NotFound names the models there are; InvalidArgument
// (base/status.h, fields "width", "classes", "input_shape") says what is allowed.
absl::StatusOr<Graph> BuildModel(const ModelOptions& options);

// How a parameter starts (as in the paper's program; He et al. 2015 for Kaiming). Running means
// start as zeros, running variances as ones.
struct Initializer {
  enum class Kind {
    kZeros,
    kOnes,
    kNormal,   // N(0, scale)
    kUniform,  // U(-scale, scale)
  };
  Kind kind = Kind::kZeros;
  double scale = 0;
};
// One for each of graph.parameters(), in order.
absl::StatusOr<std::vector<Initializer>> InitializersOf(const ModelOptions& options,
                                                        const Graph& graph);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_MODELS_MODELS_H_
