#include "planner/models/resnet18.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace mantissa::planner {
namespace {

ValueId BasicBlock(GraphBuilder& net, const std::string& name, ValueId x, int64_t channels,
                   int64_t stride) {
  ValueId main =
      net.Conv(name + ".conv1", x, channels, {.kernel = 3, .stride = stride, .padding = 1});
  main = net.Relu(name + ".relu1", net.BatchNorm(name + ".bn1", main));
  main = net.Conv(name + ".conv2", main, channels, {.kernel = 3, .padding = 1});
  main = net.BatchNorm(name + ".bn2", main);
  ValueId shortcut = x;
  if (stride != 1 || net.Channels(x) != channels) {
    shortcut = net.Conv(name + ".shortcut.0", x, channels, {.stride = stride});
    shortcut = net.BatchNorm(name + ".shortcut.1", shortcut);
  }
  return net.Relu(name + ".relu3", net.Add(name + ".add", main, shortcut));
}

ValueId Build(GraphBuilder& net, double width, int64_t classes) {
  constexpr int64_t kChannels[] = {64, 128, 256, 512};
  constexpr int kBlocks = 2;
  ValueId x = net.Conv("conv1", net.input(), RoundChannels(width * kChannels[0], width),
                       {.kernel = 3, .padding = 1});
  x = net.Relu("relu1", net.BatchNorm("bn1", x));
  for (int layer = 0; layer < 4; ++layer) {
    const int64_t channels = RoundChannels(width * kChannels[layer], width);
    for (int block = 0; block < kBlocks; ++block) {
      const int64_t stride = layer > 0 && block == 0 ? 2 : 1;
      x = BasicBlock(net, absl::StrCat("layer", layer + 1, ".", block), x, channels, stride);
    }
  }
  x = net.Flatten("flatten", net.AvgPool("avgpool2d", x, 4, 4));
  return net.Linear("linear", x, classes);
}

}  // namespace

const ModelDefinition& ResNet18() {
  static const auto* const definition = new ModelDefinition{
      .info = {.name = "resnet18",
               .summary = "ResNet-18 with a 3x3 stem, for images from 25x25 pixels",
               .widths = {0.1, 0.25, 0.5, 1.0},
               .min_input_size = 25},
      .conv_weight = InitRule::kKaimingNormalFanOut,
      .conv_bias = InitRule::kTorchDefault,
      .linear_weight = InitRule::kTorchDefault,
      .linear_bias = InitRule::kTorchDefault,
      // Three convolutions with stride 2, each rounding up.
      .final_map_size = [](int64_t size) { return (size + 7) / 8; },
      .build = Build,
  };
  return *definition;
}

}  // namespace mantissa::planner
