// What lives from which task of a step to which: the construction of a MemoryModel.

#include <algorithm>
#include <string>

#include "planner/cost/memory.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

constexpr int kNever = -1;

// Two losses in float32, a count in int64.
constexpr int64_t kResultBytes = 2 * 4 + 8;

int64_t DTypeBytes(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
    case DType::kInt64:
      return 8;
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kFloat16:
    case DType::kBFloat16:
      return 2;
    case DType::kUInt8:
    case DType::kBool:
      return 1;
  }
  return 1;
}

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
        forward_of_(graph.nodes().size(), kNever),
        backward_of_(graph.nodes().size(), kNever) {}

  void Build() {
    for (int task = 0; task < last_point_; ++task) {
      const Task& t = schedule_.tasks[task];
      model_.points_.push_back({.kind = t.kind, .node = t.node});
      if (t.kind == Task::Kind::kForward) forward_of_[t.node] = task;
      if (t.kind == Task::Kind::kBackward) backward_of_[t.node] = task;
    }
    model_.points_.push_back({.kind = Task::Kind::kBackward, .node = kNoNode});
    FindTensorsOfNodes();
    AddLasting();
    AddActivations();
    AddResults();
    AddKept();
    AddRoundedParameters();
    AddGradients();
    model_.workspaces_ =
        WorkspacesOf(graph_, tensors_, schedule_, batch_size_, model_.options_.tiles);
    AddUpdates();
  }

 private:
  using Span = MemoryModel::Span;

  int64_t ElementsOf(ValueId value) const {
    return Elements(graph_.value(value).shape, batch_size_);
  }

  void Add(Span span) { model_.spans_.push_back(span); }

  void FindTensorsOfNodes() {
    model_.tensors_of_node_.resize(graph_.nodes().size());
    for (NodeId node = 0; node < static_cast<NodeId>(graph_.nodes().size()); ++node) {
      std::vector<ValueId> values = TensorInputs(graph_, node);
      const std::vector<ValueId>& outputs = graph_.node(node).outputs;
      values.insert(values.end(), outputs.begin(), outputs.end());
      for (const ValueId value : values) {
        const int v = tensors_.FindProduced(value);
        if (v < 0) continue;
        model_.tensors_of_node_[node].push_back(v);
        model_.tensors_of_node_[node].push_back(
            tensors_.Find(TensorKind::kActivationGradient, tensors_.Resolve(value)));
      }
    }
  }

  // Masters, buffers, moments and labels: all through the step. Samples are let go of once they
  // are stored in their format.
  void AddLasting() {
    const MemoryOptions& options = model_.options_;
    int64_t masters = 0, moments = 0, labels = 0, largest = 0;
    for (const ValueId parameter : graph_.parameters()) {
      const int64_t elements = ElementsOf(parameter);
      masters += elements * kernels::kFp32.bytes();
      moments += options.moments * MomentBytes(options.optimizer_state, elements);
      largest = std::max(largest, elements);
    }
    for (const ValueId buffer : graph_.buffers()) {
      masters += ElementsOf(buffer) * DTypeBytes(graph_.value(buffer).dtype);
    }
    if (graph_.target() != kNoValue) {
      labels += ElementsOf(graph_.target()) * DTypeBytes(graph_.value(graph_.target()).dtype);
    }
    Add({0, last_point_, MemoryKind::kMasters, -1, masters});
    Add({0, last_point_, MemoryKind::kWorkspace, -1, labels});
    if (!schedule_.options.training) return;
    const int64_t scratch = options.moments * MomentScratchBytes(options.optimizer_state, largest);
    Add({0, last_point_, MemoryKind::kOptimizer, -1, moments});
    Add({0, last_point_, MemoryKind::kWorkspace, -1, scratch});
  }

  // Whether a view has memory of its own: codes are stored in order, so moving dimensions copies.
  bool CopiesItsInput(NodeId node) const {
    const std::string& op = graph_.node(node).op;
    return op == "aten::permute" || op == "aten::transpose" || op == "aten::t";
  }

  // Values share the memory of what they show until the last of them dies.
  void AddActivations() {
    std::vector<int> span_of(graph_.values().size(), kNever);  // index of the span
    std::vector<int> holders(graph_.values().size(), 0);       // by storage
    std::vector<ValueId> storage(graph_.values().size(), kNoValue);
    const auto make = [&](ValueId value, int task) {
      const NodeId node = graph_.value(value).producer;
      const bool shares =
          node != kNoNode && IsShapeOnly(graph_, graph_.node(node)) && !CopiesItsInput(node);
      if (shares) {
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

  Span SpanOf(ValueId value, int task) const {
    Span span{task, task, MemoryKind::kActivations, tensors_.FindProduced(value),
              ElementsOf(value)};
    if (span.tensor < 0) span.size *= DTypeBytes(graph_.value(value).dtype);
    const NodeId node = graph_.value(value).producer;
    if (node != kNoNode && !IsShapeOnly(graph_, graph_.node(node))) span.made = Span::Made::kStored;
    return span;
  }

  // What the caller of a step reads: the logits in float32, until the predictions that are right
  // have been counted between the passes, and that count and two losses to the end.
  void AddResults() {
    if (graph_.loss() == kNoValue) return;
    const ValueId logits = graph_.output();
    // Stored in fp32, they are the v itself.
    Add({.first = forward_of_[graph_.value(logits).producer],
         .last = schedule_.forward_tasks - 1,
         .kind = MemoryKind::kWorkspace,
         .tensor = tensors_.FindProduced(logits),
         .size = ElementsOf(logits),
         .free_in_fp32 = true,
         .unpacked = true,
         .made = Span::Made::kStored});
    Add({.first = forward_of_[graph_.value(graph_.loss()).producer],
         .last = last_point_,
         .kind = MemoryKind::kWorkspace,
         .size = kResultBytes,
         .made = Span::Made::kStored});
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

  // The task up to which the gradient of a value is held, views of it as the value itself.
  int LastHolder(ValueId value) const {
    while (true) {
      const NodeId node = graph_.value(value).producer;
      if (node == kNoNode || backward_of_[node] == kNever) return kNever;
      if (!IsShapeOnly(graph_, graph_.node(node)) || CopiesItsInput(node)) {
        return backward_of_[node];
      }
      value = graph_.value(value).alias_of;
    }
  }

  void AddGradients() {
    std::vector<bool> seen(graph_.values().size(), false);
    for (int task = schedule_.forward_tasks; task < last_point_; ++task) {
      const Task& t = schedule_.tasks[task];
      if (t.kind != Task::Kind::kBackward) continue;
      const bool is_view = IsShapeOnly(graph_, graph_.node(t.node));
      if (is_view && !CopiesItsInput(t.node)) continue;
      if (schedule_.rules[t.node].kind == GradientKind::kAdd) {
        AddGradientsOfSum(t.node, task);
        continue;
      }
      for (const ValueId input : TensorInputs(graph_, t.node)) {
        if (!schedule_.needs_gradient[input]) continue;
        if (graph_.value(tensors_.Resolve(input)).kind == ValueKind::kParameter) {
          AddParameterGradient(tensors_.Resolve(input), task, seen);
        } else {
          AddGradient(input, task);
        }
      }
    }
  }

  void AddGradient(ValueId input, int task, NodeId when_packed = kNoNode) {
    const int dv = tensors_.Find(TensorKind::kActivationGradient, tensors_.Resolve(input));
    if (dv < 0) return;
    Add({.first = task,
         .last = std::max(task, LastHolder(input)),
         .kind = MemoryKind::kGradients,
         .tensor = dv,
         .size = ElementsOf(input),
         .node = when_packed,
         .made = Span::Made::kStored,
         .used_up = true});
  }

  // Stored as computed, the gradients of both inputs are the gradient of the sum, in its memory.
  void AddGradientsOfSum(NodeId node, int task) {
    int last = task;
    for (const ValueId input : TensorInputs(graph_, node)) {
      if (!schedule_.needs_gradient[input]) continue;
      AddGradient(input, task, node);
      last = std::max(last, LastHolder(input));
    }
    const ValueId sum = graph_.node(node).outputs[0];
    Add({.first = std::min(task + 1, last),
         .last = last,
         .kind = MemoryKind::kGradients,
         .tensor = tensors_.Find(TensorKind::kActivationGradient, sum),
         .size = ElementsOf(sum),
         .node = node,
         .as_computed = true});
  }

  void AddParameterGradient(ValueId parameter, int task, std::vector<bool>& seen) {
    if (seen[parameter]) return;
    seen[parameter] = true;
    const int dtheta = tensors_.Find(TensorKind::kParameterGradient, parameter);
    if (dtheta < 0) return;
    Add({.first = task,
         .last = last_point_,
         .kind = MemoryKind::kGradients,
         .tensor = dtheta,
         .size = ElementsOf(parameter),
         .made = Span::Made::kFinished});
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
  std::vector<int> forward_of_, backward_of_;  // by node: tasks
};

MemoryModel::MemoryModel(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
                         int64_t batch_size, const MemoryOptions& options)
    : options_(options), forward_tasks_(schedule.forward_tasks) {
  MemoryModelBuilder(graph, tensors, schedule, batch_size, *this).Build();
}

}  // namespace mantissa::planner
