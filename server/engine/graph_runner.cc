#include "server/engine/graph_runner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ATen/core/grad_mode.h"
#include "ATen/ops/scalar_tensor.h"
#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status.h"
#include "server/engine/operator_seed.h"
#include "server/engine/random_streams.h"

namespace mantissa::engine {

using planner::GradientKind;
using planner::kNoNode;
using planner::kNoValue;
using planner::MemoryKind;
using planner::NodeId;
using planner::Task;
using planner::TensorKind;
using planner::ValueId;

namespace {

kernels::Format FormatOfType(at::ScalarType type) {
  if (type == at::kBFloat16) return kernels::kBf16;
  return type == at::kHalf ? kernels::kFp16 : kernels::kFp32;
}

bool IsParameter(TensorKind kind) {
  return kind == TensorKind::kParameter || kind == TensorKind::kParameterGradient;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GraphRunner>> GraphRunner::Create(
    const planner::Graph& graph, const planner::TensorTable& tensors, Rounder* rounder,
    const RunnerOptions& options) {
  if (graph.loss() == kNoValue) {
    return absl::InvalidArgumentError(absl::StrCat("graph ", graph.name(), " has no loss"));
  }
  std::unique_ptr<GraphRunner> runner(new GraphRunner(graph, tensors, rounder, options));
  RETURN_IF_ERROR(runner->Compile());
  return runner;
}

GraphRunner::GraphRunner(const planner::Graph& graph, const planner::TensorTable& tensors,
                         Rounder* rounder, const RunnerOptions& options)
    : graph_(graph),
      tensors_(tensors),
      rounder_(rounder),
      options_(options),
      training_(planner::MakeSchedule(graph, tensors,
                                      {.training = true, .recompute = options.recompute})),
      evaluation_(planner::MakeSchedule(graph, tensors, {.training = false})),
      sites_(graph, tensors),
      parameter_index_(graph.values().size(), -1),
      last_gradient_(graph.parameters().size(), kNoNode),
      formats_(tensors.tensors().size()),
      bound_(graph.values().size()),
      values_(graph.values().size()),
      gradients_(graph.values().size()),
      wide_gradients_(graph.parameters().size()),
      parameter_gradients_(graph.parameters().size()) {
  for (size_t i = 0; i < graph.parameters().size(); ++i) {
    parameter_index_[graph.parameters()[i]] = static_cast<int>(i);
  }
}

absl::Status GraphRunner::Compile() {
  for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes().size()); ++id) {
    const planner::Node& node = graph_.node(id);
    Step step;
    ASSIGN_OR_RETURN(OperatorCall call, OperatorCall::Resolve(node));
    step.call = std::make_unique<OperatorCall>(std::move(call));
    const GradientKind kind = training_.rules[id].kind;
    if (kind != GradientKind::kView) {
      step.op = MakeTileOperator(kind, *step.call);
    } else if (planner::Elements(graph_.value(node.outputs[0]).shape, 1) !=
               planner::Elements(graph_.value(step.call->tensors()[0]).shape, 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("node ", node.name, " (", node.op,
                       "): it shows more or fewer elements than its input has"));
    }
    steps_.push_back(std::move(step));
  }
  for (const Task& task : training_.tasks) {
    if (task.kind != Task::Kind::kBackward) continue;
    for (const ValueId input : steps_[task.node].call->tensors()) {
      if (parameter_index_[input] >= 0) last_gradient_[parameter_index_[input]] = task.node;
    }
  }
  return absl::OkStatus();
}

void GraphRunner::SetFormats(const std::vector<kernels::Format>& formats) {
  formats_ = formats;
  prepared_ = false;
}

void GraphRunner::Prepare(int64_t batch_size, RunMode mode) {
  const bool probed = rounder_->has_probe();
  if (prepared_ && batch_size == batch_size_ && mode == mode_ && probed == probed_) return;
  batch_size_ = batch_size;
  mode_ = mode;
  probed_ = probed;
  wide_ = mode.round_values ? options_.wide : at::kFloat;
  std::vector<kernels::Format> formats = formats_;
  for (size_t i = 0; i < formats.size(); ++i) {
    const bool parameter = IsParameter(tensors_.tensors()[i].kind);
    if (!(parameter ? mode.round_parameters : mode.round_values)) formats[i] = kernels::kFp32;
  }
  sites_.SetFormats(formats);
  // A probe sees whole tensors.
  const planner::TileOptions options = {
      .wide = FormatOfType(wide_),
      .tile_bytes = probed ? std::numeric_limits<int64_t>::max() : options_.tile_bytes};
  for (NodeId node = 0; node < static_cast<NodeId>(steps_.size()); ++node) {
    steps_[node].tiles = planner::TilesOf(graph_, tensors_, node, training_.rules[node], formats,
                                          batch_size, options);
    steps_[node].input_gradient_tiles = planner::InputGradientTilesOf(
        graph_, tensors_, node, training_.rules[node], formats, batch_size, options);
  }
  prepared_ = true;
}

std::vector<int64_t> GraphRunner::SizesOf(ValueId value) const {
  return planner::SizesAt(graph_.value(value).shape, batch_size_);
}

CallContext GraphRunner::CallContextOf() const {
  return {.training = mode_.training, .batch_size = batch_size_, .device = device_};
}

void GraphRunner::Seed(NodeId node, const Tile& tile) const {
  if (!steps_[node].call->is_random()) return;
  RandomStream numbers(options_.seed, OperatorStream(node, step_));
  const uint64_t seed = uint64_t{numbers.Next()} << 32 | numbers.Next();
  SeedOperators(device_, seed + static_cast<uint64_t>(tile.begin));
}

at::Tensor GraphRunner::Roundable(const at::Tensor& wide) {
  const at::ScalarType type = wide.scalar_type();
  const bool fits = type == at::kFloat || type == at::kBFloat16 || type == at::kHalf;
  return fits ? wide : wide.to(at::kFloat);
}

std::vector<Tile> GraphRunner::EachOf(const planner::Tiles& cut) {
  std::vector<Tile> tiles;
  for (int64_t begin = 0; begin < cut.extent; begin += cut.size) {
    tiles.push_back({.axis = cut.axis,
                     .extent = cut.extent,
                     .begin = begin,
                     .end = std::min(begin + cut.size, cut.extent)});
  }
  return tiles;
}

at::ScalarType GraphRunner::TypeOf(NodeId node) const {
  switch (training_.rules[node].kind) {
    case GradientKind::kLogSoftmax:
    case GradientKind::kNllLoss:
    case GradientKind::kReplay:
      return at::kFloat;
    default:
      return wide_;
  }
}

// What a run that was not completed has left.
void GraphRunner::Clear() {
  output_ = {};
  for (PackedTensor& value : values_) value = {};
  for (std::vector<PackedTensor>& parts : gradients_) parts.clear();
  for (at::Tensor& sum : wide_gradients_) sum.reset();
  DropGradients();
  for (Step& step : steps_) step.kept.clear();
}

void GraphRunner::RoundParameter(ValueId parameter, bool again) {
  const at::Tensor& master = bound_[parameter];
  RoundingSite& site = sites_.parameter(parameter_index_[parameter]);
  // What is made once more was counted before.
  RoundingSite uncounted = sites_.Uncounted(site);
  // What is not rounded is the master itself.
  rounder_->Store(again ? uncounted : site, Tile{}, master, master.sizes(), options_.storage,
                  MemoryKind::kWeights, &values_[parameter]);
}

void GraphRunner::Release(const Task& task) {
  for (const ValueId value : task.release_values) values_[value] = {};
  for (const ValueId parameter : task.release_parameters) values_[parameter] = {};
  for (const NodeId node : task.release_kept) steps_[node].kept.clear();
}

void GraphRunner::RunTask(const Task& task) {
  {
    const TimelineTask told(options_.timeline, task.kind, task.node);
    const bool again = task.kind != Task::Kind::kForward;
    for (const ValueId parameter : task.round_parameters) RoundParameter(parameter, again);
    try {
      if (task.kind == Task::Kind::kBackward) {
        RunBackward(task.node);
      } else {
        RunForward(task.node, /*again=*/task.kind == Task::Kind::kRecompute);
      }
    } catch (c10::Error& error) {
      const planner::Node& node = graph_.node(task.node);
      error.add_context(absl::StrCat("node ", node.name, " (", node.op, ")"));
      throw;
    }
  }
  Release(task);
}

GraphRunner::Output GraphRunner::Forward(std::vector<at::Tensor> inputs, const at::Tensor& target,
                                         RunMode mode) {
  const at::NoGradGuard no_grad;
  Clear();
  Prepare(BatchSizeOf(inputs, target), mode);
  device_ = target.device();
  bound_[graph_.target()] = target;
  if (device_.is_cuda()) sites_.CountOn(device_);
  sites_.ClearCounts();
  StoreInputs(std::move(inputs));
  const planner::Schedule& schedule = mode.training ? training_ : evaluation_;
  for (int i = 0; i < schedule.forward_tasks; ++i) RunTask(schedule.tasks[i]);
  return std::exchange(output_, {});
}

void GraphRunner::Backward(double loss_gradient) {
  const at::NoGradGuard no_grad;
  if (options_.timeline != nullptr) options_.timeline->BeginBackward();
  AddGradient(
      graph_.loss(),
      at::scalar_tensor(loss_gradient, bound_[graph_.target()].options().dtype(at::kFloat)));
  for (size_t i = training_.forward_tasks; i < training_.tasks.size(); ++i) {
    RunTask(training_.tasks[i]);
  }
}

bool GraphRunner::GradientsAreFinite() {
  sites_.FetchCounts();
  for (size_t i = 0; i < parameter_gradients_.size(); ++i) {
    const bool defined = parameter_gradients_[i].defined();
    if (defined && sites_.parameter_gradient(i).overflowed()) return false;
  }
  return true;
}

void GraphRunner::DropGradients() {
  for (PackedTensor& gradient : parameter_gradients_) gradient = {};
}

PackedTensor GraphRunner::TakeGradient(size_t parameter) {
  return std::exchange(parameter_gradients_[parameter], {});
}

void GraphRunner::SetValue(ValueId value, const at::Tensor& tensor) {
  values_[value] = PackedTensor::AsComputed(tensor);
}

void GraphRunner::RunNode(NodeId node, const at::Tensor& gradient, int64_t batch_size) {
  const at::NoGradGuard no_grad;
  Prepare(batch_size, {});
  const std::vector<ValueId>& inputs = steps_[node].call->tensors();
  std::vector<NodeId> views;
  for (ValueId value : inputs) {
    for (; value != tensors_.Resolve(value); value = graph_.value(value).alias_of) {
      views.push_back(graph_.value(value).producer);
    }
  }
  for (auto view = views.rbegin(); view != views.rend(); ++view) ForwardView(*view);
  RunForward(node, /*again=*/false);
  const ValueId output = graph_.node(node).outputs[0];
  gradients_[output].clear();
  AddGradient(output, gradient);
  RunBackward(node);
  for (const ValueId input : inputs) gradients_[input].clear();
}

}  // namespace mantissa::engine
