#include "planner/models/shufflenet_v2.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kStemChannels = 24;
constexpr int64_t kShuffleGroups = 2;
constexpr int kLayers = 3;
constexpr int kBasicBlocks[kLayers] = {3, 7, 3};

struct Channels {
  double width;
  int64_t layers[kLayers];
  int64_t last;
};
constexpr Channels kChannels[] = {
    {0.1, {12, 24, 48}, 1024},    {0.15, {16, 32, 64}, 1024},   {0.2, {24, 48, 96}, 1024},
    {0.25, {28, 56, 112}, 1024},  {0.5, {56, 112, 224}, 1024},  {0.75, {88, 176, 352}, 1024},
    {1.0, {116, 232, 464}, 1024}, {1.5, {176, 352, 704}, 1024}, {2.0, {244, 488, 976}, 2048},
};

ValueId DownBlock(GraphBuilder& net, const std::string& name, ValueId x, int64_t channels) {
  const int64_t in = net.Channels(x), mid = channels / 2;
  ValueId left =
      net.Conv(name + ".conv1", x, in, {.kernel = 3, .stride = 2, .padding = 1, .groups = in});
  left = net.Conv(name + ".conv2", net.BatchNorm(name + ".bn1", left), mid, {});
  left = net.Relu(name + ".relu2", net.BatchNorm(name + ".bn2", left));
  ValueId right = net.Conv(name + ".conv3", x, mid, {});
  right = net.Relu(name + ".relu3", net.BatchNorm(name + ".bn3", right));
  right = net.Conv(name + ".conv4", right, mid,
                   {.kernel = 3, .stride = 2, .padding = 1, .groups = mid});
  right = net.Conv(name + ".conv5", net.BatchNorm(name + ".bn4", right), mid, {});
  right = net.Relu(name + ".relu5", net.BatchNorm(name + ".bn5", right));
  return net.Shuffle(name + ".shuffle", net.Cat(name + ".cat", {left, right}), kShuffleGroups);
}

ValueId BasicBlock(GraphBuilder& net, const std::string& name, ValueId x) {
  const int64_t channels = net.Channels(x), half = channels / 2;
  const ValueId kept = net.SliceChannels(name + ".split.split1", x, 0, half);
  ValueId main = net.SliceChannels(name + ".split.split2", x, half, channels);
  main = net.Conv(name + ".conv1", main, half, {});
  main = net.Relu(name + ".relu1", net.BatchNorm(name + ".bn1", main));
  main = net.Conv(name + ".conv2", main, half, {.kernel = 3, .padding = 1, .groups = half});
  main = net.Conv(name + ".conv3", net.BatchNorm(name + ".bn2", main), half, {});
  main = net.Relu(name + ".relu3", net.BatchNorm(name + ".bn3", main));
  return net.Shuffle(name + ".shuffle", net.Cat(name + ".cat", {kept, main}), kShuffleGroups);
}

ValueId Build(GraphBuilder& net, double width, int64_t classes) {
  const Channels* channels = kChannels;
  while (channels->width != width) ++channels;
  ValueId x = net.Conv("conv1", net.input(), kStemChannels, {.kernel = 3, .padding = 1});
  x = net.Relu("relu1", net.BatchNorm("bn1", x));
  for (int layer = 0; layer < kLayers; ++layer) {
    const std::string name = absl::StrCat("layer", layer + 1, ".");
    x = DownBlock(net, name + "0", x, channels->layers[layer]);
    for (int block = 1; block <= kBasicBlocks[layer]; ++block) {
      x = BasicBlock(net, absl::StrCat(name, block), x);
    }
  }
  x = net.Conv("conv2", x, channels->last, {});
  x = net.Relu("relu2", net.BatchNorm("bn2", x));
  x = net.Flatten("flatten", net.AvgPool("avgpool2d", x, 4, 4));
  return net.Linear("linear", x, classes);
}

std::vector<double> Widths() {
  std::vector<double> widths;
  for (const Channels& channels : kChannels) widths.push_back(channels.width);
  return widths;
}

}  // namespace

const ModelDefinition& ShuffleNetV2() {
  static const auto* const definition = new ModelDefinition{
      .info = {.name = "shufflenet_v2",
               .summary = "ShuffleNet-v2 with a stride-1 stem, for images from 25x25 pixels",
               .widths = Widths(),
               .min_input_size = 25},
      .conv_weight = InitRule::kTorchDefault,
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
