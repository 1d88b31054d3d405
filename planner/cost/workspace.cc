#include "planner/cost/workspace.h"

#include <algorithm>
#include <utility>

#include "kernels/formats/format.h"
#include "planner/cost/convolution.h"
#include "planner/cost/tile_bytes.h"

namespace mantissa::planner {
namespace {

// A place in a plane, as LibTorch's max-pool gives it, and the float that the engine computes with.
constexpr int64_t kPlaceBytes = 8;
constexpr int64_t kFloatBytes = 4;

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
    Workspace workspace;
    if (rule.kind == GradientKind::kView) {
      workspace.packed = workspace.as_computed = {{}};
      return workspace;
    }
    const Tiles tiles =
        TilesOf(graph_, tensors_, task.node, rule, packed_formats_, batch_size_, options_);
    const bool has_parts = task.kind == Task::Kind::kBackward && rule.of_input_and_weight;
    const Tiles input_tiles = has_parts
                                  ? InputGradientTilesOf(graph_, tensors_, task.node, rule,
                                                         packed_formats_, batch_size_, options_)
                                  : tiles;
    if (input_tiles.size < tiles.size) {
      AddTiles(task, rule.kind, input_tiles, Part::kActivations, workspace);
      AddTiles(task, rule.kind, tiles, Part::kParameters, workspace);
    } else {
      AddTiles(task, rule.kind, tiles, Part::kAll, workspace);
    }
    const TileBytes whole = TileBytesOf(task.node, {});
    if (task.kind == Task::Kind::kBackward) {
      workspace.as_computed = BackwardAsComputed(task.node, rule.kind, whole);
    } else {
      workspace.as_computed = {{.bytes = ForwardTemporaries(task.node, rule.kind, whole)}};
    }
    AddParameters(task, rule, workspace);
    return workspace;
  }

 private:
  // Which tile of its part of a task: a later one adds to what the first has made, an only one
  // drops the codes of the gradient that it reads.
  enum class Place { kOnly, kFirst, kLater };
  // Which gradients a tile of a backward task makes. Those of activations come before those of
  // parameters where each has tiles of its own.
  enum class Part { kAll, kActivations, kParameters };

  void AddTiles(const Task& task, GradientKind kind, const Tiles& tiles, Part part,
                Workspace& workspace) const {
    AddTile(task, kind, tiles, tiles.count() == 1 ? Place::kOnly : Place::kFirst, part, workspace);
    // The second tile is as large as the first, or the last and smaller.
    Tiles second = tiles;
    second.size = std::min(tiles.size, tiles.extent - tiles.size);
    if (second.size > 0) AddTile(task, kind, second, Place::kLater, part, workspace);
  }

  void AddTile(const Task& task, GradientKind kind, const Tiles& tiles, Place place, Part part,
               Workspace& workspace) const {
    const TileBytes tile = TileBytesOf(task.node, tiles);
    const std::vector<Moment> moments = task.kind == Task::Kind::kBackward
                                            ? Backward(task.node, kind, tile, place, part)
                                            : Forward(task.node, kind, tile, place);
    workspace.packed.insert(workspace.packed.end(), moments.begin(), moments.end());
  }

  TileBytes TileBytesOf(NodeId node, const Tiles& tiles) const {
    return planner::TileBytesOf(graph_, tensors_, schedule_, node, tiles, batch_size_,
                                options_.wide.bytes());
  }

  ConvolutionBytes Convolution(NodeId node, const TileBytes& tile) const {
    return ConvolutionBytesOf(graph_, node, tile.samples, options_.wide.bytes());
  }

  // Beside inputs and output.
  int64_t ForwardTemporaries(NodeId node, GradientKind kind, const TileBytes& tile) const {
    if (kind == GradientKind::kConvolution) return Convolution(node, tile).Forward() - tile.output;
    // Places, then the same as numbers, then with the input gone three times those.
    if (kind == GradientKind::kMaxPool) {
      return std::max(kPlaceBytes * tile.output_elements,
                      (kPlaceBytes + kFloatBytes) * tile.output_elements - tile.inputs);
    }
    return tile.replay.forward;
  }

  std::vector<Moment> Forward(NodeId node, GradientKind kind, const TileBytes& tile,
                              Place place) const {
    // ReLU, addition and dropout work in the memory of the first input; the second is added while
    // it is unpacked.
    const bool in_place =
        kind == GradientKind::kRelu || kind == GradientKind::kAdd || kind == GradientKind::kDropout;
    const int64_t inputs = in_place ? 0 : tile.inputs;
    return {{.bytes = inputs + tile.output + ForwardTemporaries(node, kind, tile),
             .stored = place == Place::kLater},
            {.bytes = tile.output}};
  }

  std::vector<Moment> Backward(NodeId node, GradientKind kind, const TileBytes& tile, Place place,
                               Part part) const {
    const bool one_tile = place == Place::kOnly, later = place == Place::kLater;
    // What the tiles' gradients of parameters are added up in; LibTorch's for a tile besides.
    const int64_t sums = ParameterElements(node) * kFloatBytes;
    const int64_t added = later && part != Part::kActivations ? sums : 0;
    const int64_t share = ParameterElements(node) * options_.wide.bytes();
    const Moment read = {.bytes = tile.output + added,
                         .stored = later || part == Part::kParameters,
                         .finished = false,
                         .unpacked = false};
    const Moment finish = {.bytes = sums, .takes = false, .unpacked = false};
    const auto compute = [&](int64_t bytes, bool stored) {
      return Moment{.bytes = tile.output + bytes + added,
                    .takes = !one_tile,
                    .stored = stored || later,
                    .finished = false};
    };
    switch (kind) {
      case GradientKind::kConvolution: {
        const ConvolutionBytes bytes = Convolution(node, tile);
        std::vector<Moment> moments = {read};
        if (part != Part::kParameters && WantsInputGradient(node)) {
          moments.push_back(compute(bytes.shape + bytes.InputGradient(), false));
          moments.push_back(compute(tile.inputs, true));
          if (part == Part::kActivations) return moments;
        }
        Moment weight = compute(tile.inputs + bytes.WeightGradient(), true);
        // Forgotten on the last tile.
        weight.unpacked = !one_tile && part == Part::kAll;
        moments.push_back(weight);
        moments.push_back(finish);
        return moments;
      }
      case GradientKind::kLinear:
        return BackwardOfLinear(node, tile, place, part, read, finish);
      case GradientKind::kRelu:
      case GradientKind::kAdd:
      case GradientKind::kDropout:
        return {read, compute(0, true)};
      case GradientKind::kCat:
        // A part of the gradient is made contiguous to be packed.
        return {read, compute(tile.largest_input, true)};
      case GradientKind::kMaxPool:
        // The gradient is read last, when places are found.
        return {read,
                compute(kPlaceBytes * tile.output_elements + tile.inputs, true),
                {.bytes = (kPlaceBytes + kFloatBytes) * tile.output_elements,
                 .stored = later,
                 .finished = false}};
      case GradientKind::kLogSoftmax:
        return {read, compute(tile.output + tile.inputs, false), compute(tile.inputs, true)};
      case GradientKind::kBatchNorm:
        // LibTorch takes one more of the input's size.
        return {read, compute(3 * tile.inputs + share, false), compute(tile.inputs + share, true),
                finish};
      case GradientKind::kSlice:
      case GradientKind::kAveragePool:
      case GradientKind::kNllLoss:
        return {read, compute(tile.inputs, true)};
      default: {
        // What is read, made once more, and the gradients.
        const int64_t replayed =
            tile.read + tile.output + tile.wanted + share + tile.replay.backward;
        return {read, compute(replayed, false), compute(replayed, true), finish};
      }
    }
  }

  // First the gradient of the weight, then that of the input.
  std::vector<Moment> BackwardOfLinear(NodeId node, const TileBytes& tile, Place place, Part part,
                                       const Moment& read, const Moment& finish) const {
    const bool later = place == Place::kLater, all = part == Part::kAll;
    const int64_t sums = ParameterElements(node) * kFloatBytes;
    const int64_t added = later && part != Part::kActivations ? sums : 0;
    Moment moment = {.bytes = tile.output + added,
                     .takes = place != Place::kOnly,
                     .stored = later || part == Part::kParameters,
                     .finished = false};
    std::vector<Moment> moments = {read};
    if (part != Part::kActivations) {
      Moment weight = moment;
      weight.bytes += tile.inputs + ParameterElements(node) * options_.wide.bytes();
      weight.unpacked = later && all;
      moments.push_back(weight);
    }
    if (part != Part::kParameters && WantsInputGradient(node)) {
      moment.bytes += tile.inputs + (all && !later ? sums : 0);
      moments.push_back(moment);
      moment.stored = true;
      moments.push_back(moment);
    }
    if (part != Part::kActivations) moments.push_back(finish);
    return moments;
  }

  std::vector<Moment> BackwardAsComputed(NodeId node, GradientKind kind,
                                         const TileBytes& whole) const {
    switch (kind) {
      case GradientKind::kConvolution: {
        const ConvolutionBytes bytes = Convolution(node, whole);
        std::vector<Moment> moments = {
            {.bytes = bytes.WeightGradient(), .finished = false, .unpacked = false}, {}};
        if (WantsInputGradient(node)) {
          moments.push_back(
              {.bytes = bytes.shape + bytes.InputGradient(), .stored = false, .finished = false});
        }
        return moments;
      }
      case GradientKind::kRelu:
        // In the memory of the gradient that it takes.
        return {{.takes = false}};
      case GradientKind::kBatchNorm:
        return {{.bytes = whole.inputs}};
      case GradientKind::kMaxPool:
        return {{.bytes = kPlaceBytes * whole.output_elements}};
      case GradientKind::kReplay:
        return {{.bytes = whole.output + whole.replay.backward}};
      default:
        return {{}};
    }
  }

  bool WantsInputGradient(NodeId node) const {
    for (const ValueId input : TensorInputs(graph_, node)) {
      if (tensors_.FindProduced(input) >= 0 && schedule_.needs_gradient[input]) return true;
    }
    return false;
  }

  // Of those that have a gradient.
  int64_t ParameterElements(NodeId node) const {
    int64_t elements = 0;
    for (const ValueId input : TensorInputs(graph_, node)) {
      if (graph_.value(tensors_.Resolve(input)).kind != ValueKind::kParameter) continue;
      if (!schedule_.needs_gradient[input]) continue;
      elements += Elements(graph_.value(input).shape, batch_size_);
    }
    return elements;
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
