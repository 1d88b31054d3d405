#include "planner/schedule/tiles.h"

#include <algorithm>

namespace mantissa::planner {
namespace {

constexpr int64_t kFlatMultiple = 1024;

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

// How one node is cut.
class Cutter {
 public:
  Cutter(const Graph& graph, const TensorTable& tensors, NodeId node, const GradientRule& rule,
         int64_t batch_size)
      : graph_(graph),
        tensors_(tensors),
        rule_(rule),
        batch_size_(batch_size),
        inputs_(TensorInputs(graph, node)),
        outputs_(graph.node(node).outputs) {
    std::erase(outputs_, kNoValue);
    // The loss is one number, whatever the tile.
    if (rule.kind == GradientKind::kNllLoss) {
      inputs_.resize(1);
      outputs_ = inputs_;
    }
  }

  // Into tiles whose widest tensor has at most `options.tile_bytes`, or one unit of the axis.
  Tiles Cut(const std::vector<kernels::Format>& formats, const TileOptions& options) const {
    if (!CanCut()) return {};
    Tiles tiles = {.axis = rule_.axis,
                   .extent = ExtentOf(ShapeOf(outputs_[0]), rule_.axis, batch_size_)};
    tiles.size = tiles.extent;
    if (IsAsComputed(formats, options.wide)) return tiles;
    int64_t unit_bytes = 1;
    for (const std::vector<ValueId>* values : {&inputs_, &outputs_}) {
      for (const ValueId value : *values) {
        if (!IsCut(value)) continue;
        const int64_t elements = Elements(ShapeOf(value), batch_size_) / tiles.extent;
        unit_bytes = std::max(unit_bytes, elements * options.wide.bytes());
      }
    }
    int64_t size = std::max<int64_t>(1, options.tile_bytes / unit_bytes);
    if (rule_.axis == TileAxis::kFlat) {
      size = std::max(kFlatMultiple, size / kFlatMultiple * kFlatMultiple);
    }
    tiles.size = std::min(size, tiles.extent);
    return tiles;
  }

 private:
  const Shape& ShapeOf(ValueId value) const { return graph_.value(value).shape; }

  // Whether the value has the extent of what the node makes.
  bool IsCut(ValueId value) const {
    const Shape& shape = ShapeOf(value);
    const Shape& made = ShapeOf(outputs_[0]);
    switch (rule_.axis) {
      case TileAxis::kBatch:
        return !shape.empty() && shape[0].times_batch && shape[0] == made[0];
      case TileAxis::kChannel:
        return tensors_.FindProduced(value) >= 0 && shape.size() > 1 && shape[1] == made[1];
      case TileAxis::kFlat:
        return tensors_.FindProduced(value) >= 0 && shape == made;
      case TileAxis::kNone:
        return false;
    }
    return false;
  }

  // Whether every tile may have the whole of it: parameters, statistics, masks of all samples.
  bool IsWhole(ValueId value) const {
    if (rule_.axis == TileAxis::kFlat || tensors_.FindProduced(value) >= 0) return false;
    const Shape& shape = ShapeOf(value);
    return std::none_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.times_batch; });
  }

  bool CanCut() const {
    if (rule_.axis == TileAxis::kNone || outputs_.empty() || inputs_.empty()) return false;
    return std::all_of(outputs_.begin(), outputs_.end(), [&](ValueId v) { return IsCut(v); }) &&
           std::all_of(inputs_.begin(), inputs_.end(),
                       [&](ValueId v) { return IsCut(v) || IsWhole(v); });
  }

  bool IsAsComputed(const std::vector<kernels::Format>& formats,
                    const kernels::Format& wide) const {
    for (const std::vector<ValueId>* values : {&inputs_, &outputs_}) {
      for (const ValueId value : *values) {
        const ValueId v = tensors_.Resolve(value);
        for (const TensorKind kind : {TensorKind::kActivation, TensorKind::kActivationGradient}) {
          const int tensor = tensors_.Find(kind, v);
          if (tensor >= 0 && formats[tensor] != wide) return false;
        }
      }
    }
    return true;
  }

  const Graph& graph_;
  const TensorTable& tensors_;
  const GradientRule& rule_;
  const int64_t batch_size_;
  std::vector<ValueId> inputs_, outputs_;
};

}  // namespace

Tiles TilesOf(const Graph& graph, const TensorTable& tensors, NodeId node, const GradientRule& rule,
              const std::vector<kernels::Format>& formats, int64_t batch_size,
              const TileOptions& options) {
  TileOptions wide_enough = options;
  wide_enough.tile_bytes = std::max(
      options.tile_bytes, LargestParameterBytes(graph, tensors, node, batch_size, options.wide));
  return Cutter(graph, tensors, node, rule, batch_size).Cut(formats, wide_enough);
}

Tiles InputGradientTilesOf(const Graph& graph, const TensorTable& tensors, NodeId node,
                           const GradientRule& rule, const std::vector<kernels::Format>& formats,
                           int64_t batch_size, const TileOptions& options) {
  if (rule.of_input_and_weight) {
    return Cutter(graph, tensors, node, rule, batch_size).Cut(formats, options);
  }
  return TilesOf(graph, tensors, node, rule, formats, batch_size, options);
}

}  // namespace mantissa::planner
