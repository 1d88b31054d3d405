#include "planner/models/mobilenet_v2.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace mantissa::planner {
namespace {

// Blocks of one kind in a row; only the first has the stride.
struct Stage {
  int64_t expansion, channels, repeats, stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 1},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

ValueId InvertedResidual(GraphBuilder& net, const std::string& name, ValueId x, int64_t expansion,
                         int64_t channels, int64_t stride) {
  const int64_t hidden = expansion * net.Channels(x);
  ValueId main = net.Conv(name + ".conv1", x, hidden, {});
  main = net.Relu(name + ".relu1", net.BatchNorm(name + ".bn1", main));
  main = net.Conv(name + ".conv2", main, hidden,
                  {.kernel = 3, .stride = stride, .padding = 1, .groups = hidden});
  main = net.Relu(name + ".relu2", net.BatchNorm(name + ".bn2", main));
  main = net.BatchNorm(name + ".bn3", net.Conv(name + ".conv3", main, channels, {}));
  if (stride != 1) return main;
  ValueId shortcut = x;
  if (net.Channels(x) != channels) {
    shortcut = net.Conv(name + ".shortcut.0", x, channels, {});
    shortcut = net.BatchNorm(name + ".shortcut.1", shortcut);
  }
  return net.Add(name + ".add", main, shortcut);
}

ValueId Build(GraphBuilder& net, double width, int64_t classes) {
  ValueId x =
      net.Conv("conv1", net.input(), RoundChannels(width * 32, width), {.kernel = 3, .padding = 1});
  x = net.Relu("relu1", net.BatchNorm("bn1", x));
  int index = 0;
  for (const Stage& stage : kStages) {
    const int64_t channels = RoundChannels(width * static_cast<double>(stage.channels), width);
    for (int64_t repeat = 0; repeat < stage.repeats; ++repeat) {
      x = InvertedResidual(net, absl::StrCat("layers.", index++), x, stage.expansion, channels,
                           repeat == 0 ? stage.stride : 1);
    }
  }
  x = net.Conv("conv2", x, RoundChannels(1280 * std::max(1.0, width), width), {});
  x = net.Relu("relu2", net.BatchNorm("bn2", x));
  x = net.Flatten("flatten", net.AvgPool("avgpool2d", x, 4, 4));
  return net.Linear("linear", x, classes);
}

}  // namespace

const ModelDefinition& MobileNetV2() {
  static const auto* const definition = new ModelDefinition{
      .info = {.name = "mobilenet_v2",
               .summary = "MobileNet-v2 with a stride-1 stem, for images from 25x25 pixels",
               .widths = {0.1, 0.25, 0.5, 1.0},
               .min_input_size = 25},
      .conv_weight = InitRule::kKaimingNormalFanOut,
      .conv_bias = InitRule::kZeros,
      .linear_weight = InitRule::kNormal001,
      .linear_bias = InitRule::kZeros,
      // Three convolutions with stride 2, each rounding up.
      .final_map_size = [](int64_t size) { return (size + 7) / 8; },
      .build = Build,
  };
  return *definition;
}

}  // namespace mantissa::planner
