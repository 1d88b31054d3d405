#include "planner/cost/convolution.h"

#include <algorithm>
#include <variant>
#include <vector>

#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

constexpr int64_t kBlockChannels = 16;
// Inputs of so few channels, images, are read as they are.
constexpr int64_t kPlainChannels = 3;

int64_t Blocked(int64_t bytes, int64_t channels) {
  return bytes / channels * ((channels + kBlockChannels - 1) / kBlockChannels * kBlockChannels);
}

bool IsStrided(const Node& node) {
  const ArgumentValue* argument = FindArgument(node, "stride");
  const auto* strides = argument == nullptr ? nullptr : std::get_if<std::vector<int64_t>>(argument);
  return strides != nullptr &&
         std::any_of(strides->begin(), strides->end(), [](int64_t stride) { return stride > 1; });
}

}  // namespace

int64_t ConvolutionBytes::Forward() const {
  return std::max(blocked_input + weight + blocked_output, blocked_output + output);
}

int64_t ConvolutionBytes::InputGradient() const {
  const bool one_more = strided && (narrow || !depthwise);
  return std::max(blocked_output + weight + blocked_input,
                  blocked_input + input + (one_more ? input : 0));
}

int64_t ConvolutionBytes::WeightGradient() const {
  if (narrow) return blocked_input + blocked_output + 3 * weight;
  return std::max(blocked_input + blocked_output + weight, 2 * weight);
}

ConvolutionBytes ConvolutionBytesOf(const Graph& graph, NodeId id, int64_t samples, int64_t wide) {
  const Node& node = graph.node(id);
  const Shape& input = graph.value(FindValueArgument(node, "input")).shape;
  const Shape& weight = graph.value(FindValueArgument(node, "weight")).shape;
  const Shape& output = graph.value(node.outputs[0]).shape;
  const int64_t in_channels = input[1].At(1), out_channels = output[1].At(1);
  ConvolutionBytes bytes;
  bytes.input = samples * Elements({input[1], input[2], input[3]}, 1) * wide;
  bytes.output = samples * Elements({output[1], output[2], output[3]}, 1) * wide;
  bytes.weight = Elements(weight, 1) * wide;
  bytes.blocked_input = in_channels <= kPlainChannels ? 0 : Blocked(bytes.input, in_channels);
  bytes.blocked_output = Blocked(bytes.output, out_channels);
  bytes.shape = bytes.input > std::max(bytes.output, bytes.weight) ? bytes.input + wide : 0;
  bytes.strided = IsStrided(node);
  bytes.depthwise = weight[1].At(1) == 1 && in_channels > 1;
  bytes.narrow = wide < 4;
  return bytes;
}

}  // namespace mantissa::planner
