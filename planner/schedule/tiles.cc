#include "planner/schedule/tiles.h"

#include <algorithm>

namespace mantissa::planner {
namespace {

constexpr int64_t kFlatMultiple = 1024;

// The v's that a node reads and makes, as its arguments name them.
std::vector<ValueId> Activations(const Graph& graph, const TensorTable& tensors, NodeId node) {
  std::vector<ValueId> values = TensorInputs(graph, node);
  const std::vector<ValueId>& outputs = graph.node(node).outputs;
  values.insert(values.end(), outputs.begin(), outputs.end());
  std::erase_if(values, [&](ValueId value) { return tensors.FindProduced(value) < 0; });
  return values;
}

int64_t ExtentOf(const Shape& shape, TileAxis axis, int64_t batch_size) {
  switch (axis) {
    case TileAxis::kNone:
      return 1;
    case TileAxis::kBatch:
      return shape[0].At(batch_size);
    case TileAxis::kChannel:
      return shape[1].At(batch_size);
    case TileAxis::kFlat:
      return Elements(shape, batch_size);
  }
  return 1;
}

int64_t LargestParameterBytes(const Graph& graph, const TensorTable& tensors, NodeId node,
                              int64_t batch_size, const kernels::Format& wide) {
  int64_t largest = 0;
  for (const ValueId input : TensorInputs(graph, node)) {
    const Value& value = graph.value(tensors.Resolve(input));
    if (value.kind != ValueKind::kParameter) continue;
    largest = std::max(largest, Elements(value.shape, batch_size) * wide.bytes());
  }
  return largest;
}

// Into tiles whose widest tensor has at most `options.tile_bytes`, or one unit of the axis.
Tiles Cut(const Graph& graph, const TensorTable& tensors, NodeId node, const GradientRule& rule,
          const std::vector<kernels::Format>& formats, int64_t batch_size,
          const TileOptions& options) {
  const std::vector<ValueId> values = Activations(graph, tensors, node);
  if (rule.axis == TileAxis::kNone || values.empty()) return {};
  const Tiles whole = {.axis = rule.axis,
                       .extent = ExtentOf(graph.value(values.back()).shape, rule.axis, batch_size)};
  bool as_computed = true;
  int64_t unit_bytes = 1;
  for (const ValueId value : values) {
    const Shape& shape = graph.value(value).shape;
    // Cut along an axis that not all have would give pieces that do not belong together.
    if (shape.empty() || ExtentOf(shape, rule.axis, batch_size) != whole.extent) return {};
    const ValueId v = tensors.Resolve(value);
    for (const TensorKind kind : {TensorKind::kActivation, TensorKind::kActivationGradient}) {
      as_computed = as_computed && formats[tensors.Find(kind, v)] == options.wide;
    }
    unit_bytes =
        std::max(unit_bytes, Elements(shape, batch_size) / whole.extent * options.wide.bytes());
  }
  Tiles tiles = whole;
  if (as_computed) {
    tiles.size = tiles.extent;
    return tiles;
  }
  int64_t size = std::max<int64_t>(1, options.tile_bytes / unit_bytes);
  if (rule.axis == TileAxis::kFlat) {
    size = std::max(kFlatMultiple, size / kFlatMultiple * kFlatMultiple);
  }
  tiles.size = std::min(size, tiles.extent);
  return tiles;
}

}  // namespace

Tiles TilesOf(const Graph& graph, const TensorTable& tensors, NodeId node, const GradientRule& rule,
              const std::vector<kernels::Format>& formats, int64_t batch_size,
              const TileOptions& options) {
  TileOptions wide_enough = options;
  wide_enough.tile_bytes = std::max(
      options.tile_bytes, LargestParameterBytes(graph, tensors, node, batch_size, options.wide));
  return Cut(graph, tensors, node, rule, formats, batch_size, wide_enough);
}

Tiles InputGradientTilesOf(const Graph& graph, const TensorTable& tensors, NodeId node,
                           const GradientRule& rule, const std::vector<kernels::Format>& formats,
                           int64_t batch_size, const TileOptions& options) {
  if (rule.kind == GradientKind::kConvolution && rule.of_input_and_weight) {
    return Cut(graph, tensors, node, rule, formats, batch_size, options);
  }
  return TilesOf(graph, tensors, node, rule, formats, batch_size, options);
}

}  // namespace mantissa::planner
