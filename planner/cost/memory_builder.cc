// What lives from which task of a step to which: the construction of a MemoryModel.

#include <algorithm>
#include <string>

#include "planner/cost/gradient_spans.h"
#include "planner/cost/memory.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

constexpr int kNever = -1;

// Two losses in float32, two counts in int64.
constexpr int64_t kResultBytes = 2 * 4 + 2 * 8;
// A place that argmax finds, and whether it is right.
constexpr int64_t kFoundBytes = 8 + 1;

}  // namespace

class MemoryModelBuilder {
 public:
  MemoryModelBuilder(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
                     int64_t batch_size, MemoryModel& model)
      : graph_(graph),
        tensors_(tensors),
        schedule_(schedule),
        batch_size_(batch_size),
        model_(model),
        last_point_(static_cast<int>(schedule.tasks.size())),
        forward_of_(graph.nodes().size(), kNever) {}

  void Build() {
    for (int task = 0; task < last_point_; ++task) {
      const Task& t = schedule_.tasks[task];
      model_.points_.push_back({.kind = t.kind, .node = t.node});
      if (t.kind == Task::Kind::kForward) forward_of_[t.node] = task;
    }
    model_.points_.push_back({.kind = Task::Kind::kBackward, .node = kNoNode});
    FindTensorsOfNodes();
    AddLasting();
    AddSamples();
    AddActivations();
    AddResults();
    AddKept();
    AddRoundedParameters();
    for (const MemorySpan& span : GradientSpansOf(graph_, tensors_, schedule_, batch_size_))
      Add(span);
    model_.workspaces_ =
        WorkspacesOf(graph_, tensors_, schedule_, batch_size_, model_.options_.tiles);
    AddCounting();
    AddUpdates();
  }

 private:
  int64_t ElementsOf(ValueId value) const {
    return Elements(graph_.value(value).shape, batch_size_);
  }

  int64_t BytesAsComputed(ValueId value) const {
    return ElementsOf(value) * BytesOf(graph_.value(value).dtype);
  }

  void Add(const MemorySpan& span) { model_.spans_.push_back(span); }

  void FindTensorsOfNodes() {
    model_.tensors_of_node_.resize(graph_.nodes().size());
    for (NodeId node = 0; node < static_cast<NodeId>(graph_.nodes().size()); ++node) {
      std::vector<ValueId> values = TensorInputs(graph_, node);
      const std::vector<ValueId>& outputs = graph_.node(node).outputs;
      values.insert(values.end(), outputs.begin(), outputs.end());
      for (const ValueId value : values) {
        if (value == kNoValue) continue;
        for (const TensorKind kind : {TensorKind::kActivation, TensorKind::kActivationGradient}) {
          const int tensor = tensors_.Find(kind, tensors_.Resolve(value));
          if (tensor >= 0) model_.tensors_of_node_[node].push_back(tensor);
        }
      }
    }
  }

  // Masters, buffers, constants, moments and labels: all through the step.
  void AddLasting() {
    const MemoryOptions& options = model_.options_;
    int64_t masters = 0, moments = 0, trained = 0, labels = 0, largest = 0;
    for (const ValueId parameter : graph_.parameters()) {
      const int64_t elements = ElementsOf(parameter);
      masters += elements * kernels::kFp32.bytes();
      if (graph_.value(parameter).frozen) continue;
      trained += elements;
      moments += options.moments * MomentBytes(options.optimizer_state, elements);
      largest = std::max(largest, elements);
    }
    for (const std::vector<ValueId>* fixed : {&graph_.buffers(), &graph_.constants()}) {
      for (const ValueId value : *fixed) masters += BytesAsComputed(value);
    }
    if (options.averages) masters += trained * kernels::kFp32.bytes();
    if (graph_.target() != kNoValue) labels = BytesAsComputed(graph_.target());
    Add({0, last_point_, MemoryKind::kMasters, -1, masters});
    Add({0, last_point_, MemoryKind::kWorkspace, -1, labels});
    if (!schedule_.options.training) return;
    const int64_t scratch = options.moments * MomentScratchBytes(options.optimizer_state, largest);
    Add({0, last_point_, MemoryKind::kOptimizer, -1, moments});
    Add({0, last_point_, MemoryKind::kWorkspace, -1, scratch});
    if (!options.accumulates) return;
    Add({0, last_point_, MemoryKind::kGradients, -1, trained * kernels::kFp32.bytes()});
  }

  void AddSamples() {
    for (const ValueId input : graph_.inputs()) {
      const int v = tensors_.FindProduced(input);
      if (v >= 0) model_.samples_.push_back({v, ElementsOf(input) * kernels::kFp32.bytes()});
    }
  }

  // Values share the memory of what they show until the last of them dies.
  void AddActivations() {
    std::vector<int> span_of(graph_.values().size(), kNever);  // index of the span
    std::vector<int> holders(graph_.values().size(), 0);       // by storage
    std::vector<ValueId> storage(graph_.values().size(), kNoValue);
    const auto make = [&](ValueId value, int task) {
      const NodeId node = graph_.value(value).producer;
      if (node != kNoNode && SharesItsInput(graph_, graph_.node(node))) {
        const ValueId base = graph_.value(value).alias_of;
        storage[value] = storage[base];
        if (storage[value] != kNoValue) ++holders[storage[value]];
        return;
      }
      storage[value] = value;
      holders[value] = 1;
      span_of[value] = static_cast<int>(model_.spans_.size());
      Add(SpanOf(value, task));
    };
    for (const ValueId input : graph_.inputs()) make(input, 0);
    for (int task = 0; task < last_point_; ++task) {
      const Task& t = schedule_.tasks[task];
      if (t.kind != Task::Kind::kBackward) {
        for (const ValueId output : graph_.node(t.node).outputs) {
          if (output != kNoValue) make(output, task);
        }
      }
      for (const ValueId value : t.release_values) {
        const ValueId base = storage[value];
        if (base != kNoValue && --holders[base] == 0) model_.spans_[span_of[base]].last = task;
      }
    }
  }

  // Views of parameters have their format.
  MemorySpan SpanOf(ValueId value, int task) const {
    MemorySpan span{task, task, MemoryKind::kActivations, tensors_.FindProduced(value),
                    ElementsOf(value)};
    if (span.tensor < 0) {
      span.tensor = tensors_.Find(TensorKind::kParameter, tensors_.Resolve(value));
    }
    if (span.tensor < 0) span.size = BytesAsComputed(value);
    const NodeId node = graph_.value(value).producer;
    if (node != kNoNode && !IsShapeOnly(graph_, graph_.node(node)))
      span.made = MemorySpan::Made::kStored;
    return span;
  }

  // What the caller of a step reads, to its end.
  void AddResults() {
    if (graph_.loss() == kNoValue) return;
    Add({.first = forward_of_[graph_.value(graph_.loss()).producer],
         .last = last_point_,
         .kind = MemoryKind::kWorkspace,
         .size = kResultBytes,
         .made = MemorySpan::Made::kStored});
  }

  // When the forward pass has ended, the right predictions are counted in tiles of the output.
  void AddCounting() {
    const Value& output = graph_.value(graph_.output());
    const bool has_labels =
        graph_.loss() != kNoValue && !IsFloatingPoint(graph_.value(graph_.target()).dtype);
    if (!has_labels || schedule_.forward_tasks == 0) return;
    const int64_t positions = ElementsOf(graph_.target());
    const int64_t extent = output.shape[0].At(batch_size_);
    const int64_t row = ElementsOf(graph_.output()) / extent * kernels::kFp32.bytes();
    const int64_t rows = std::clamp<int64_t>(
        model_.options_.tiles.tile_bytes / std::max<int64_t>(1, row), 1, extent);
    const int64_t bytes = rows * (row + positions / extent * kFoundBytes);
    Workspace& workspace = model_.workspaces_[schedule_.forward_tasks - 1];
    workspace.packed.push_back({.bytes = bytes});
    workspace.as_computed.push_back({.bytes = bytes});
  }

  void AddKept() {
    if (!schedule_.options.training) return;
    for (int task = 0; task < last_point_; ++task) {
      for (const NodeId node : schedule_.tasks[task].release_kept) {
        const int64_t bytes = KeptBytes(graph_, node, schedule_.rules[node], batch_size_);
        Add({forward_of_[node], task, MemoryKind::kActivations, -1, bytes});
      }
    }
  }

  void AddRoundedParameters() {
    std::vector<int> first(graph_.values().size(), 0);
    for (int task = 0; task < last_point_; ++task) {
      for (const ValueId parameter : schedule_.tasks[task].round_parameters) {
        first[parameter] = task;
      }
      for (const ValueId parameter : schedule_.tasks[task].release_parameters) {
        const int theta = tensors_.Find(TensorKind::kParameter, parameter);
        if (theta < 0) continue;
        // In fp32 it is the master.
        Add({.first = first[parameter],
             .last = task,
             .kind = MemoryKind::kWeights,
             .tensor = theta,
             .size = ElementsOf(parameter),
             .free_in_fp32 = true});
      }
    }
  }

  // Each parameter's part of the update: its gradient unpacked, and what the optimizer computes
  // with.
  void AddUpdates() {
    if (!schedule_.options.training) return;
    const MemoryOptions& options = model_.options_;
    for (const ValueId parameter : graph_.parameters()) {
      const int dtheta = tensors_.Find(TensorKind::kParameterGradient, parameter);
      if (dtheta < 0) continue;
      const int64_t elements = ElementsOf(parameter);
      // AdamW's denominator, of as many elements as are updated at a time.
      const bool wide = IsWideMoment(options.optimizer_state, elements);
      const int64_t at_a_time = wide ? elements : std::min(elements, kMomentChunkElements);
      const int64_t bytes = options.moments > 1 ? at_a_time * kernels::kFp32.bytes() : 0;
      model_.updates_.push_back({dtheta, elements, bytes});
    }
  }

  const Graph& graph_;
  const TensorTable& tensors_;
  const Schedule& schedule_;
  const int64_t batch_size_;
  MemoryModel& model_;
  const int last_point_;
  std::vector<int> forward_of_;  // by node: tasks
};

MemoryModel::MemoryModel(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
                         int64_t batch_size, const MemoryOptions& options)
    : options_(options), forward_tasks_(schedule.forward_tasks) {
  MemoryModelBuilder(graph, tensors, schedule, batch_size, *this).Build();
}

}  // namespace mantissa::planner
