#include "planner/cost/workspace.h"

#include <algorithm>
#include <numeric>

#include "kernels/formats/format.h"

namespace mantissa::planner {
namespace {

// A place in a plane, as LibTorch's max-pool gives it.
constexpr int64_t kPlaceBytes = 8;

// Bytes of the wide tiles of one node.
struct TileBytes {
  std::vector<int64_t> inputs;  // of v's, in the order of the arguments
  int64_t input_sum = 0, input_max = 0;
  int64_t output = 0;
  int64_t output_elements = 0;
};

class WorkspaceModel {
 public:
  WorkspaceModel(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
                 int64_t batch_size, const TileOptions& options)
      : graph_(graph),
        tensors_(tensors),
        schedule_(schedule),
        batch_size_(batch_size),
        options_(options),
        packed_formats_(tensors.tensors().size(), kernels::kLowForward) {}

  Workspace Of(const Task& task) const {
    const GradientRule& rule = schedule_.rules[task.node];
    const Tiles tiles =
        TilesOf(graph_, tensors_, task.node, rule, packed_formats_, batch_size_, options_);
    const TileBytes tile = TileBytesOf(task.node, tiles);
    const TileBytes whole = TileBytesOf(task.node, {});
    Workspace workspace{.one_tile = tiles.count() == 1};
    if (rule.kind == GradientKind::kView) return workspace;
    if (task.kind == Task::Kind::kBackward) {
      const int64_t gradients = ParameterGradients(task.node);
      const int64_t sums = tiles.count() > 1 ? gradients : 0;
      workspace.compute = Backward(rule.kind, tile) + gradients + sums;
      workspace.store = tile.input_sum + gradients;
      workspace.finish = gradients;
      workspace.as_computed = BackwardAsComputed(rule.kind, whole);
    } else {
      workspace.compute = Forward(rule.kind, tile);
      workspace.store = tile.output;
      workspace.as_computed = ForwardAsComputed(rule.kind, whole);
    }
    AddParameters(task, rule, workspace);
    return workspace;
  }

 private:
  TileBytes TileBytesOf(NodeId node, const Tiles& tiles) const {
    TileBytes bytes;
    const auto wide = [&](ValueId value) {
      const int64_t elements = Elements(graph_.value(value).shape, batch_size_);
      return elements / tiles.extent * tiles.size * options_.wide.bytes();
    };
    for (const ValueId input : TensorInputs(graph_, node)) {
      if (tensors_.FindProduced(input) >= 0) bytes.inputs.push_back(wide(input));
    }
    bytes.input_sum = std::accumulate(bytes.inputs.begin(), bytes.inputs.end(), int64_t{0});
    for (const int64_t input : bytes.inputs) bytes.input_max = std::max(bytes.input_max, input);
    for (const ValueId output : graph_.node(node).outputs) {
      if (output != kNoValue) bytes.output += wide(output);
    }
    bytes.output_elements = bytes.output / options_.wide.bytes();
    return bytes;
  }

  static int64_t Forward(GradientKind kind, const TileBytes& tile) {
    switch (kind) {
      case GradientKind::kView:
        return 0;
      case GradientKind::kRelu:
      case GradientKind::kAdd:
        // In the memory of the first input; the second is added while it is unpacked.
        return tile.output;
      case GradientKind::kMaxPool:
        return tile.output + std::max(tile.input_sum + kPlaceBytes * tile.output_elements,
                                      3 * kPlaceBytes * tile.output_elements);
      default:
        return tile.input_sum + tile.output;
    }
  }

  static int64_t ForwardAsComputed(GradientKind kind, const TileBytes& whole) {
    return kind == GradientKind::kMaxPool ? 3 * kPlaceBytes * whole.output_elements : 0;
  }

  static int64_t Backward(GradientKind kind, const TileBytes& tile) {
    switch (kind) {
      case GradientKind::kView:
        return 0;
      case GradientKind::kRelu:
      case GradientKind::kAdd:
        return tile.output;
      case GradientKind::kCat:
        // A part of the gradient is made contiguous to be packed.
        return tile.output + tile.input_max;
      case GradientKind::kSlice:
      case GradientKind::kAveragePool:
        return tile.output + tile.input_sum;
      case GradientKind::kMaxPool:
        return tile.output + std::max(tile.input_sum + kPlaceBytes * tile.output_elements,
                                      3 * kPlaceBytes * tile.output_elements);
      case GradientKind::kLogSoftmax:
        return 2 * tile.output + tile.input_sum;
      default:
        // Gradient of the output, input, gradient of the input.
        return tile.output + 2 * tile.input_sum;
    }
  }

  static int64_t BackwardAsComputed(GradientKind kind, const TileBytes& whole) {
    return kind == GradientKind::kMaxPool ? 3 * kPlaceBytes * whole.output_elements : 0;
  }

  // What an operator makes for a tile, and as much again what the tiles' are added up in.
  int64_t ParameterGradients(NodeId node) const {
    int64_t bytes = 0;
    for (const ValueId input : TensorInputs(graph_, node)) {
      if (graph_.value(tensors_.Resolve(input)).kind != ValueKind::kParameter) continue;
      bytes += Elements(graph_.value(input).shape, batch_size_) * options_.wide.bytes();
    }
    return bytes;
  }

  void AddParameters(const Task& task, const GradientRule& rule, Workspace& workspace) const {
    const std::vector<ValueId> reads =
        task.kind == Task::Kind::kBackward ? rule.reads : TensorInputs(graph_, task.node);
    for (const ValueId read : reads) {
      const int theta = tensors_.Find(TensorKind::kParameter, tensors_.Resolve(read));
      if (theta < 0) continue;
      const int64_t elements = Elements(graph_.value(read).shape, batch_size_);
      workspace.parameters.push_back({theta, elements * options_.wide.bytes()});
    }
  }

  const Graph& graph_;
  const TensorTable& tensors_;
  const Schedule& schedule_;
  const int64_t batch_size_;
  const TileOptions& options_;
  // Any that are not stored as computed cut a task in the same way.
  const std::vector<kernels::Format> packed_formats_;
};

}  // namespace

std::vector<Workspace> WorkspacesOf(const Graph& graph, const TensorTable& tensors,
                                    const Schedule& schedule, int64_t batch_size,
                                    const TileOptions& options) {
  const WorkspaceModel model(graph, tensors, schedule, batch_size, options);
  std::vector<Workspace> workspaces;
  workspaces.reserve(schedule.tasks.size());
  for (const Task& task : schedule.tasks) workspaces.push_back(model.Of(task));
  return workspaces;
}

}  // namespace mantissa::planner
