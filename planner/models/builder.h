// planner/models/builder.h
//
// The layers that the built-in networks are made of. Each call appends one ATen operator with all
// its arguments, as torch.export writes it, and creates the parameters and buffers that PyTorch's
// module of that name has.
//
//   GraphBuilder net("toy", {3, 32, 32});
//   ValueId x = net.Conv("conv1", net.input(), 8, {.kernel = 3, .padding = 1});
//   x = net.Relu("relu1", net.BatchNorm("bn1", x));
//   Graph graph = std::move(net).Finish(net.Linear("linear", net.Flatten("flatten", x), 10));
//
// Maps are [N, C, H, W]. REQUIRES throughout: names are unique, shapes fit.

#ifndef MANTISSA_PLANNER_MODELS_BUILDER_H_
#define MANTISSA_PLANNER_MODELS_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

// A square convolution.
struct ConvOptions {
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t groups = 1;
  bool bias = false;
};

class GraphBuilder {
 public:
  // `input_shape` is [C, H, W].
  GraphBuilder(std::string name, const std::vector<int64_t>& input_shape);

  ValueId input() const { return input_; }
  // Size of a dimension of a value for one sample; dimension 1 of a map is its channels.
  int64_t Size(ValueId value, int dimension) const;
  int64_t Channels(ValueId map) const { return Size(map, 1); }

  ValueId Conv(const std::string& name, ValueId x, int64_t out_channels,
               const ConvOptions& options);
  // Training mode, momentum 0.1, eps 1e-5.
  ValueId BatchNorm(const std::string& name, ValueId x);
  ValueId Relu(const std::string& name, ValueId x);
  ValueId Add(const std::string& name, ValueId a, ValueId b);
  // Along the channels.
  ValueId Cat(const std::string& name, const std::vector<ValueId>& maps);
  // Channels `begin` to before `end`: an operator that makes a tensor, not a view.
  ValueId SliceChannels(const std::string& name, ValueId x, int64_t begin, int64_t end);
  // Windows of 2x2, an odd last row or column is left out.
  ValueId MaxPool2(const std::string& name, ValueId x);
  // Windows of kernel_h x kernel_w, side by side; what is left over at the edges is left out.
  ValueId AvgPool(const std::string& name, ValueId x, int64_t kernel_h, int64_t kernel_w);
  // [N, ...] to [N, features]; shape-only.
  ValueId Flatten(const std::string& name, ValueId x);
  // Interleaves `groups` groups of channels; shape-only: name.view, name.permute, name.reshape.
  ValueId Shuffle(const std::string& name, ValueId x, int64_t groups);
  // With bias.
  ValueId Linear(const std::string& name, ValueId x, int64_t out_features);

  // The graph, which returns `output`. The builder is used up.
  Graph Finish(ValueId output) &&;

 private:
  ValueId Append(const std::string& name, absl::string_view op, absl::string_view overload,
                 std::vector<Argument> args, Shape shape, ValueId alias_of = kNoValue);
  const Shape& ShapeOf(ValueId value) const { return graph_.value(value).shape; }

  Graph graph_;
  ValueId input_;
};

// Channels of ResNet and MobileNet at a width: the multiple of d nearest to `channels` (half up),
// at least d; one d more if that is below 0.9 * channels. d is 4 for widths up to 0.25, else 8.
int64_t RoundChannels(double channels, double width);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_MODELS_BUILDER_H_
