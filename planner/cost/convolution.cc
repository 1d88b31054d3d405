#include "planner/cost/convolution.h"

#include <algorithm>
#include <variant>
#include <vector>

#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

// Channels stand in blocks of as many as a register holds; those of AVX2 are half as wide.
constexpr int64_t kBlock = 16, kHalfBlock = 8;
// Inputs of so few channels, images, are never copied for the gradient of the weight.
constexpr int64_t kPlainChannels = 3;

int64_t Padded(int64_t channels, int64_t block) { return (channels + block - 1) / block * block; }

bool IsStrided(const Node& node) {
  const ArgumentValue* argument = FindArgument(node, "stride");
  const auto* strides = argument == nullptr ? nullptr : std::get_if<std::vector<int64_t>>(argument);
  return strides != nullptr &&
         std::any_of(strides->begin(), strides->end(), [](int64_t stride) { return stride > 1; });
}

}  // namespace

int64_t ConvolutionBytes::Forward() const {
  return std::max(forward.total(), forward.output + output);
}

int64_t ConvolutionBytes::InputGradient() const {
  const bool one_more = strided && (narrow || !depthwise);
  return std::max(input_gradient.total(), input_gradient.input + input + (one_more ? input : 0));
}

int64_t ConvolutionBytes::WeightGradient() const {
  const Copies& copies = weight_gradient;
  if (narrow) return copies.input + copies.output + 3 * copies.weight;
  return std::max(copies.total(), copies.weight + weight);
}

ConvolutionBytes ConvolutionBytesOf(const Graph& graph, NodeId id, int64_t samples, int64_t wide) {
  const Node& node = graph.node(id);
  const Shape& input = graph.value(FindValueArgument(node, "input")).shape;
  const Shape& weight = graph.value(FindValueArgument(node, "weight")).shape;
  const Shape& output = graph.value(node.outputs[0]).shape;
  const int64_t in_channels = input[1].At(1), out_channels = output[1].At(1);
  const int64_t window = Elements({weight[2], weight[3]}, 1);
  const bool grouped = weight[1].At(1) != in_channels;
  ConvolutionBytes bytes;
  bytes.input = samples * Elements({input[1], input[2], input[3]}, 1) * wide;
  bytes.output = samples * Elements({output[1], output[2], output[3]}, 1) * wide;
  bytes.weight = Elements(weight, 1) * wide;
  bytes.shape = bytes.input > std::max(bytes.output, bytes.weight) ? bytes.input + wide : 0;
  bytes.strided = IsStrided(node);
  bytes.depthwise = weight[1].At(1) == 1 && in_channels > 1;
  bytes.narrow = wide < 4;

  const auto blocked = [&](int64_t block) {
    const int64_t from = grouped ? weight[1].At(1) : Padded(in_channels, block);
    return ConvolutionBytes::Copies{
        .input = bytes.input / in_channels * Padded(in_channels, block),
        .output = bytes.output / out_channels * Padded(out_channels, block),
        .weight = Padded(out_channels, block) * from * window * wide};
  };
  bytes.forward = bytes.input_gradient = bytes.weight_gradient = blocked(kBlock);
  if (bytes.strided && !bytes.depthwise) {
    // Channels last.
    bytes.input_gradient.input = bytes.input;
    bytes.input_gradient.output = bytes.output;
  }
  if (in_channels < kBlock && window > 1 && !grouped) {
    // Read as it is, and its channels in the weight are not padded.
    bytes.forward.input = 0;
    bytes.forward.weight = Padded(out_channels, kBlock) * in_channels * window * wide;
    if (in_channels <= kPlainChannels) {
      bytes.weight_gradient = bytes.forward;
    } else if (!bytes.narrow) {
      bytes.weight_gradient = blocked(kHalfBlock);
    }
  }
  return bytes;
}

}  // namespace mantissa::planner
