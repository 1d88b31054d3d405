#include "planner/models/builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mantissa::planner {
namespace {

using Ints = std::vector<int64_t>;

ArgumentValue Ref(ValueId id) { return ValueRef{id}; }

// Length of a side after a window of `kernel` moved over it.
int64_t WindowedSize(int64_t size, int64_t kernel, int64_t stride, int64_t padding) {
  return (size + 2 * padding - kernel) / stride + 1;
}

}  // namespace

GraphBuilder::GraphBuilder(std::string name, const std::vector<int64_t>& input_shape)
    : graph_(std::move(name)) {
  Shape shape = {Dim::Batch()};
  shape.insert(shape.end(), input_shape.begin(), input_shape.end());
  input_ = graph_.AddInput("input", DType::kFloat32, std::move(shape));
}

int64_t GraphBuilder::Size(ValueId value, int dimension) const {
  return ShapeOf(value)[dimension].factor;
}

ValueId GraphBuilder::Append(const std::string& name, absl::string_view op,
                             absl::string_view overload, std::vector<Argument> args, Shape shape,
                             ValueId alias_of) {
  return graph_.AddNode({.name = name,
                         .op = absl::StrCat("aten::", op),
                         .overload = std::string(overload),
                         .args = std::move(args)},
                        DType::kFloat32, std::move(shape), alias_of);
}

ValueId GraphBuilder::Conv(const std::string& name, ValueId x, int64_t out_channels,
                           const ConvOptions& options) {
  const auto [kernel, stride, padding, groups, has_bias] = options;
  const ValueId weight =
      graph_.AddParameter(name + ".weight", {out_channels, Channels(x) / groups, kernel, kernel});
  ArgumentValue bias;
  if (has_bias) bias = Ref(graph_.AddParameter(name + ".bias", {out_channels}));
  return Append(name, "conv2d", "",
                {{"input", Ref(x)},
                 {"weight", Ref(weight)},
                 {"bias", std::move(bias)},
                 {"stride", Ints{stride, stride}},
                 {"padding", Ints{padding, padding}},
                 {"dilation", Ints{1, 1}},
                 {"groups", groups}},
                {Dim::Batch(), out_channels, WindowedSize(Size(x, 2), kernel, stride, padding),
                 WindowedSize(Size(x, 3), kernel, stride, padding)});
}

ValueId GraphBuilder::BatchNorm(const std::string& name, ValueId x) {
  const Shape per_channel = {Channels(x)};
  const ValueId weight = graph_.AddParameter(name + ".weight", per_channel);
  const ValueId bias = graph_.AddParameter(name + ".bias", per_channel);
  const ValueId mean = graph_.AddBuffer(name + ".running_mean", DType::kFloat32, per_channel);
  const ValueId variance = graph_.AddBuffer(name + ".running_var", DType::kFloat32, per_channel);
  // PyTorch counts batches here. No operator reads it; it is kept so that weights load and save
  // under PyTorch's names.
  graph_.AddBuffer(name + ".num_batches_tracked", DType::kInt64, {});
  return Append(name, "batch_norm", "",
                {{"input", Ref(x)},
                 {"weight", Ref(weight)},
                 {"bias", Ref(bias)},
                 {"running_mean", Ref(mean)},
                 {"running_var", Ref(variance)},
                 {"training", true},
                 {"momentum", 0.1},
                 {"eps", 1e-5},
                 {"cudnn_enabled", true}},
                ShapeOf(x));
}

ValueId GraphBuilder::Relu(const std::string& name, ValueId x) {
  return Append(name, "relu", "", {{"self", Ref(x)}}, ShapeOf(x));
}

ValueId GraphBuilder::Add(const std::string& name, ValueId a, ValueId b) {
  return Append(name, "add", "Tensor", {{"self", Ref(a)}, {"other", Ref(b)}, {"alpha", int64_t{1}}},
                ShapeOf(a));
}

ValueId GraphBuilder::Cat(const std::string& name, const std::vector<ValueId>& maps) {
  std::vector<ValueRef> refs;
  int64_t channels = 0;
  for (const ValueId map : maps) {
    refs.push_back({map});
    channels += Channels(map);
  }
  Shape shape = ShapeOf(maps.front());
  shape[1] = channels;
  return Append(name, "cat", "", {{"tensors", std::move(refs)}, {"dim", int64_t{1}}},
                std::move(shape));
}

ValueId GraphBuilder::SliceChannels(const std::string& name, ValueId x, int64_t begin,
                                    int64_t end) {
  Shape shape = ShapeOf(x);
  shape[1] = end - begin;
  return Append(
      name, "slice", "Tensor",
      {{"self", Ref(x)}, {"dim", int64_t{1}}, {"start", begin}, {"end", end}, {"step", int64_t{1}}},
      std::move(shape));
}

ValueId GraphBuilder::MaxPool2(const std::string& name, ValueId x) {
  return Append(name, "max_pool2d", "",
                {{"self", Ref(x)},
                 {"kernel_size", Ints{2, 2}},
                 {"stride", Ints{2, 2}},
                 {"padding", Ints{0, 0}},
                 {"dilation", Ints{1, 1}},
                 {"ceil_mode", false}},
                {Dim::Batch(), Channels(x), WindowedSize(Size(x, 2), 2, 2, 0),
                 WindowedSize(Size(x, 3), 2, 2, 0)});
}

ValueId GraphBuilder::AvgPool(const std::string& name, ValueId x, int64_t kernel_h,
                              int64_t kernel_w) {
  return Append(name, "avg_pool2d", "",
                {{"self", Ref(x)},
                 {"kernel_size", Ints{kernel_h, kernel_w}},
                 {"stride", Ints{kernel_h, kernel_w}},
                 {"padding", Ints{0, 0}},
                 {"ceil_mode", false},
                 {"count_include_pad", true},
                 {"divisor_override", {}}},
                {Dim::Batch(), Channels(x), WindowedSize(Size(x, 2), kernel_h, kernel_h, 0),
                 WindowedSize(Size(x, 3), kernel_w, kernel_w, 0)});
}

ValueId GraphBuilder::Flatten(const std::string& name, ValueId x) {
  int64_t features = 1;
  for (size_t i = 1; i < ShapeOf(x).size(); ++i) features *= Size(x, static_cast<int>(i));
  return Append(name, "flatten", "using_ints",
                {{"self", Ref(x)}, {"start_dim", int64_t{1}}, {"end_dim", int64_t{-1}}},
                {Dim::Batch(), features}, x);
}

ValueId GraphBuilder::Shuffle(const std::string& name, ValueId x, int64_t groups) {
  const Shape shape = ShapeOf(x);
  const int64_t channels = Channels(x), height = Size(x, 2), width = Size(x, 3);
  const ValueId split =
      Append(name + ".view", "view", "",
             {{"self", Ref(x)}, {"size", Ints{-1, groups, channels / groups, height, width}}},
             {Dim::Batch(), groups, channels / groups, height, width}, x);
  const ValueId swapped = Append(name + ".permute", "permute", "",
                                 {{"self", Ref(split)}, {"dims", Ints{0, 2, 1, 3, 4}}},
                                 {Dim::Batch(), channels / groups, groups, height, width}, split);
  return Append(name + ".reshape", "reshape", "",
                {{"self", Ref(swapped)}, {"shape", Ints{-1, channels, height, width}}}, shape,
                swapped);
}

ValueId GraphBuilder::Linear(const std::string& name, ValueId x, int64_t out_features) {
  const ValueId weight = graph_.AddParameter(name + ".weight", {out_features, Size(x, 1)});
  const ValueId bias = graph_.AddParameter(name + ".bias", {out_features});
  return Append(name, "linear", "",
                {{"input", Ref(x)}, {"weight", Ref(weight)}, {"bias", Ref(bias)}},
                {Dim::Batch(), out_features});
}

Graph GraphBuilder::Finish(ValueId output) && {
  graph_.SetOutput(output);
  return std::move(graph_);
}

int64_t RoundChannels(double channels, double width) {
  const int64_t divisor = width <= 0.25 ? 4 : 8;
  const int64_t nearest =
      static_cast<int64_t>(channels + static_cast<double>(divisor) / 2) / divisor * divisor;
  const int64_t rounded = std::max(divisor, nearest);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + divisor : rounded;
}

}  // namespace mantissa::planner
