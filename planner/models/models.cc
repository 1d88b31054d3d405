#include "planner/models/models.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "planner/graph/operators.h"
#include "planner/models/builder.h"
#include "planner/models/definition.h"
#include "planner/models/mobilenet_v2.h"
#include "planner/models/resnet18.h"
#include "planner/models/shufflenet_v2.h"
#include "planner/models/squeezenet.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kMinClasses = 2, kMaxClasses = 1'000'000;
constexpr int64_t kMaxInputChannels = 4096, kMaxInputSize = 4096;
constexpr int64_t kMinFinalMapSize = 4;
// Two texts of one width ("0.1") may differ in their last bit once computed with.
constexpr double kWidthTolerance = 1e-9;

// Sorted by name.
std::vector<const ModelDefinition*> Definitions() {
  return {&MobileNetV2(), &ResNet18(), &ShuffleNetV2(), &SqueezeNet()};
}

absl::StatusOr<const ModelDefinition*> FindDefinition(absl::string_view name) {
  for (const ModelDefinition* definition : Definitions()) {
    if (definition->info.name == name) return definition;
  }
  const std::string names = absl::StrJoin(
      BuiltinModels(), ", ",
      [](std::string* out, const ModelInfo& info) { absl::StrAppend(out, "builtin:", info.name); });
  return absl::NotFoundError(absl::StrCat("there is no model \"", name, "\"; there are ", names,
                                          ". Use one of these names."));
}

// The offered width that `width` means.
absl::StatusOr<double> CheckWidth(const ModelInfo& info, double width) {
  for (const double offered : info.widths) {
    if (std::abs(width - offered) < kWidthTolerance) return offered;
  }
  return InvalidField("width", absl::StrCat(width), absl::StrJoin(info.widths, ", "),
                      absl::StrCat("Use a width that ", info.name, " is offered in."));
}

absl::Status CheckInputShape(const ModelDefinition& definition, const std::vector<int64_t>& shape) {
  const std::string given = absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
  if (shape.size() != 3) {
    return InvalidField("input_shape", given, "three numbers: channels, height, width",
                        "Use [3, 32, 32] for colour images of 32x32 pixels.");
  }
  if (shape[0] < 1 || shape[0] > kMaxInputChannels) {
    return InvalidField("input_shape", given, absl::StrCat("1 to ", kMaxInputChannels, " channels"),
                        "Use 3 channels for colour images, 1 for grey ones.");
  }
  const std::string& name = definition.info.name;
  for (const int64_t size : {shape[1], shape[2]}) {
    if (size < 1 || size > kMaxInputSize || definition.final_map_size(size) < kMinFinalMapSize) {
      return InvalidField("input_shape", given,
                          absl::StrCat("heights and widths of ", definition.info.min_input_size,
                                       " to ", kMaxInputSize, " pixels with ", name),
                          absl::StrCat("Enlarge the images: the last feature map of ", name,
                                       " must be at least 4x4."));
    }
  }
  return absl::OkStatus();
}

Initializer InitializerOf(InitRule rule, const Shape& weight) {
  int64_t kernel = 1;
  for (size_t i = 2; i < weight.size(); ++i) kernel *= weight[i].factor;
  const double fan_in = static_cast<double>(weight[1].factor * kernel);
  const double fan_out = static_cast<double>(weight[0].factor * kernel);
  using Kind = Initializer::Kind;
  switch (rule) {
    case InitRule::kZeros:
      return {Kind::kZeros, 0};
    case InitRule::kKaimingNormalFanIn:
      return {Kind::kNormal, std::sqrt(2 / fan_in)};
    case InitRule::kKaimingNormalFanOut:
      return {Kind::kNormal, std::sqrt(2 / fan_out)};
    case InitRule::kNormal001:
      return {Kind::kNormal, 0.01};
    case InitRule::kTorchDefault:
      return {Kind::kUniform, 1 / std::sqrt(fan_in)};
  }
  return {};
}

}  // namespace

const std::vector<ModelInfo>& BuiltinModels() {
  static const auto* const models = [] {
    auto* infos = new std::vector<ModelInfo>;
    for (const ModelDefinition* definition : Definitions()) infos->push_back(definition->info);
    return infos;
  }();
  return *models;
}

absl::StatusOr<const ModelInfo*> FindBuiltinModel(absl::string_view name) {
  ASSIGN_OR_RETURN(const ModelDefinition* definition, FindDefinition(name));
  return &definition->info;
}

absl::StatusOr<Graph> BuildModel(const ModelOptions& options) {
  ASSIGN_OR_RETURN(const ModelDefinition* definition, FindDefinition(options.name));
  ASSIGN_OR_RETURN(const double width, CheckWidth(definition->info, options.width));
  if (options.classes < kMinClasses || options.classes > kMaxClasses) {
    return InvalidField("classes", absl::StrCat(options.classes),
                        absl::StrCat(kMinClasses, " to ", kMaxClasses),
                        "Use the number of classes in the data set.");
  }
  RETURN_IF_ERROR(CheckInputShape(*definition, options.input_shape));
  GraphBuilder net(options.name, options.input_shape);
  const ValueId logits = definition->build(net, width, options.classes);
  return std::move(net).Finish(logits);
}

absl::StatusOr<std::vector<Initializer>> InitializersOf(const ModelOptions& options,
                                                        const Graph& graph) {
  ASSIGN_OR_RETURN(const ModelDefinition* definition, FindDefinition(options.name));
  std::vector<Initializer> of_value(graph.values().size());
  for (const Node& node : graph.nodes()) {
    const ValueId weight = FindValueArgument(node, "weight");
    const ValueId bias = FindValueArgument(node, "bias");
    if (weight == kNoValue) continue;
    if (node.op == "aten::batch_norm") {
      of_value[weight] = {Initializer::Kind::kOnes, 0};
      continue;  // and zeros for the bias
    }
    const bool is_linear = node.op == "aten::linear";
    const Shape& shape = graph.value(weight).shape;
    of_value[weight] =
        InitializerOf(is_linear ? definition->linear_weight : definition->conv_weight, shape);
    if (bias == kNoValue) continue;
    of_value[bias] =
        InitializerOf(is_linear ? definition->linear_bias : definition->conv_bias, shape);
  }
  std::vector<Initializer> initializers;
  for (const ValueId parameter : graph.parameters()) initializers.push_back(of_value[parameter]);
  return initializers;
}

}  // namespace mantissa::planner
