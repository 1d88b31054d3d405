#include "planner/models/squeezenet.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace mantissa::planner {
namespace {

struct Fire {
  int64_t squeeze, expand;
};
constexpr int kFires = 8;
struct Channels {
  double width;
  int64_t stem;
  Fire fires[kFires];  // fire2 to fire9
};
constexpr Channels kChannels[] = {
    {0.1, 12, {{4, 8}, {4, 8}, {4, 12}, {4, 12}, {8, 20}, {8, 20}, {8, 24}, {8, 256}}},
    {0.15, 16, {{4, 12}, {4, 12}, {8, 20}, {8, 20}, {8, 28}, {8, 28}, {12, 40}, {12, 256}}},
    {0.2, 20, {{4, 12}, {4, 12}, {8, 24}, {8, 24}, {12, 40}, {12, 40}, {12, 52}, {12, 256}}},
    {0.25, 24, {{4, 16}, {4, 16}, {8, 32}, {8, 32}, {12, 48}, {12, 48}, {16, 64}, {16, 256}}},
    {0.5, 48, {{8, 32}, {8, 32}, {16, 64}, {16, 64}, {24, 96}, {24, 96}, {32, 128}, {32, 256}}},
    {1.0,
     96,
     {{16, 64}, {16, 64}, {32, 128}, {32, 128}, {48, 192}, {48, 192}, {64, 256}, {64, 256}}},
};

ValueId FireModule(GraphBuilder& net, const std::string& name, ValueId x, const Fire& fire) {
  ValueId squeezed = net.Conv(name + ".conv1", x, fire.squeeze, {.bias = true});
  squeezed = net.Relu(name + ".relu1", net.BatchNorm(name + ".bn1", squeezed));
  const ValueId point = net.BatchNorm(
      name + ".bn2", net.Conv(name + ".conv2", squeezed, fire.expand, {.bias = true}));
  const ValueId window = net.BatchNorm(
      name + ".bn3",
      net.Conv(name + ".conv3", squeezed, fire.expand, {.kernel = 3, .padding = 1, .bias = true}));
  return net.Relu(name + ".relu2", net.Cat(name + ".cat", {point, window}));
}

ValueId Build(GraphBuilder& net, double width, int64_t classes) {
  const Channels* channels = kChannels;
  while (channels->width != width) ++channels;
  ValueId x =
      net.Conv("conv1", net.input(), channels->stem, {.kernel = 3, .padding = 1, .bias = true});
  x = net.MaxPool2("maxpool1", net.Relu("relu", net.BatchNorm("bn1", x)));
  for (int i = 0; i < kFires; ++i) {
    const int number = i + 2;
    x = FireModule(net, absl::StrCat("fire", number), x, channels->fires[i]);
    if (number == 4) x = net.MaxPool2("maxpool2", x);
    if (number == 8) x = net.MaxPool2("maxpool3", x);
  }
  x = net.Conv("conv2", x, classes, {.bias = true});
  // No linear layer follows that could take several values a class: a pooled map bigger than 1x1
  // has to be averaged too, and that is the same as windows of the next larger multiple of 4.
  x = net.AvgPool("avg_pool", x, net.Size(x, 2) / 4 * 4, net.Size(x, 3) / 4 * 4);
  return net.Flatten("flatten", x);
}

std::vector<double> Widths() {
  std::vector<double> widths;
  for (const Channels& channels : kChannels) widths.push_back(channels.width);
  return widths;
}

}  // namespace

const ModelDefinition& SqueezeNet() {
  static const auto* const definition = new ModelDefinition{
      .info = {.name = "squeezenet",
               .summary =
                   "SqueezeNet with batch norm and a stride-1 stem, for images from 32x32 pixels",
               .widths = Widths(),
               .min_input_size = 32},
      .conv_weight = InitRule::kKaimingNormalFanIn,
      .conv_bias = InitRule::kTorchDefault,
      .linear_weight = InitRule::kTorchDefault,
      .linear_bias = InitRule::kTorchDefault,
      // Three max-pools, each rounding down.
      .final_map_size = [](int64_t size) { return size / 8; },
      .build = Build,
  };
  return *definition;
}

}  // namespace mantissa::planner
