#include "planner/schedule/schedule.h"

#include <algorithm>
#include <utility>

#include "planner/graph/operator_table.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

// A recomputed value that is read again after so many tasks is held meanwhile, not made twice. Such
// readers are the two branches of a residual block, or a convolution and the shortcut beside it.
constexpr int kHoldTasks = 8;

class ScheduleBuilder {
 public:
  ScheduleBuilder(const Graph& graph, const TensorTable& tensors, const ScheduleOptions& options)
      : graph_(graph),
        tensors_(tensors),
        values_(graph.values().size()),
        reached_(graph.values().size(), false),
        forward_uses_(graph.values().size()),
        backward_uses_(graph.values().size()),
        is_needed_(graph.nodes().size(), false) {
    schedule_.options = options;
    schedule_.needs_gradient = NeedsGradient(graph);
    for (NodeId node = 0; node < NodeCount(); ++node) {
      schedule_.rules.push_back(GradientRuleOf(graph, node, schedule_.needs_gradient));
    }
  }

  Schedule Build() && {
    MarkReached();
    AddForwardTasks();
    if (schedule_.options.training) AddBackwardTasks();
    ReleaseValues();
    ReleaseParameters();
    return std::move(schedule_);
  }

 private:
  static constexpr int kNever = -1;

  // The current or last life of the input, of a node's output or of a rounded parameter.
  struct Life {
    int made = kNever;      // task; the input: 0
    int last_use = kNever;  // task; its own at first
  };

  NodeId NodeCount() const { return static_cast<NodeId>(graph_.nodes().size()); }
  int Now() const { return static_cast<int>(schedule_.tasks.size()) - 1; }

  // A view of a parameter too: it would hold the rounded copy.
  bool IsRecomputed(ValueId value) const {
    const ValueId source = tensors_.Resolve(value);
    if (source != value && graph_.value(source).kind == ValueKind::kParameter) return true;
    const std::vector<bool>& recompute = schedule_.options.recompute;
    return !recompute.empty() && recompute[source];
  }

  // Marks values whose gradient the loss depends on.
  void MarkReached() {
    if (graph_.loss() == kNoValue) return;
    reached_[graph_.loss()] = schedule_.needs_gradient[graph_.loss()];
    for (NodeId node = NodeCount() - 1; node >= 0; --node) {
      if (!HasBackward(node)) continue;
      for (const ValueId input : ValueInputs(graph_, node)) {
        if (schedule_.needs_gradient[input]) reached_[input] = true;
      }
    }
  }

  bool HasBackward(NodeId node) const {
    const std::vector<ValueId>& outputs = graph_.node(node).outputs;
    return schedule_.options.training &&
           std::any_of(outputs.begin(), outputs.end(),
                       [&](ValueId output) { return output != kNoValue && reached_[output]; });
  }

  void AddTask(Task::Kind kind, NodeId node, const std::vector<ValueId>& reads) {
    schedule_.tasks.push_back({.kind = kind, .node = node});
    for (const ValueId read : reads) Use(read);
    if (kind == Task::Kind::kBackward) return;
    for (const ValueId output : graph_.node(node).outputs) {
      if (output != kNoValue) Make(output);
    }
  }

  void Use(ValueId value) {
    const ValueId source = tensors_.Resolve(value);
    if (graph_.value(source).kind == ValueKind::kParameter) {
      const bool forward = schedule_.tasks.back().kind == Task::Kind::kForward;
      Life& uses = forward ? forward_uses_[source] : backward_uses_[source];
      if (uses.made == kNever) uses.made = Now();
      uses.last_use = Now();
    }
    if (values_[value].made != kNever) values_[value].last_use = Now();
  }

  void Make(ValueId value) {
    Release(value);
    values_[value] = {.made = Now(), .last_use = Now()};
  }

  void Release(ValueId value) {
    const Life& life = values_[value];
    if (life.made != kNever) schedule_.tasks[life.last_use].release_values.push_back(value);
  }

  void AddForwardTasks() {
    for (const ValueId input : graph_.inputs()) values_[input] = {.made = 0, .last_use = 0};
    for (NodeId node = 0; node < NodeCount(); ++node) {
      AddTask(Task::Kind::kForward, node, TensorInputs(graph_, node));
      const bool keeps = KeptBytes(graph_, node, schedule_.rules[node], 1) > 0;
      if (schedule_.options.training && keeps && !HasBackward(node)) {
        schedule_.tasks.back().release_kept.push_back(node);
      }
    }
    schedule_.forward_tasks = NodeCount();
    if (schedule_.tasks.empty()) return;
    for (const ValueId result : {graph_.output(), graph_.loss()}) {
      if (result != kNoValue) Use(result);
    }
  }

  void AddBackwardTasks() {
    for (NodeId node = NodeCount() - 1; node >= 0; --node) {
      if (!HasBackward(node)) continue;
      Recompute(schedule_.rules[node].reads);
      AddTask(Task::Kind::kBackward, node, schedule_.rules[node].reads);
      if (KeptBytes(graph_, node, schedule_.rules[node], 1) > 0) {
        schedule_.tasks.back().release_kept.push_back(node);
      }
    }
  }

  // Whether a backward task that comes now can read it as it is.
  bool IsAvailable(ValueId value) const {
    const Life& life = values_[value];
    if (life.made == kNever || !IsRecomputed(value)) return true;
    return life.made >= schedule_.forward_tasks && Now() - life.last_use < kHoldTasks;
  }

  // Adds the tasks that make what is missing of `reads`. Nodes are in execution order by their ids.
  void Recompute(std::vector<ValueId> reads) {
    std::vector<NodeId> needed;
    while (!reads.empty()) {
      const ValueId value = reads.back();
      reads.pop_back();
      if (IsAvailable(value)) continue;
      const NodeId node = graph_.value(value).producer;
      if (is_needed_[node]) continue;
      is_needed_[node] = true;
      needed.push_back(node);
      const std::vector<ValueId> inputs = TensorInputs(graph_, node);
      reads.insert(reads.end(), inputs.begin(), inputs.end());
    }
    std::sort(needed.begin(), needed.end());
    for (const NodeId node : needed) {
      AddTask(Task::Kind::kRecompute, node, TensorInputs(graph_, node));
      is_needed_[node] = false;
    }
  }

  void ReleaseValues() {
    for (ValueId value = 0; value < static_cast<ValueId>(values_.size()); ++value) {
      Release(value);
    }
    // Those of recomputed values that have begun since are not of the forward pass.
    std::vector<bool> alive(values_.size(), false);
    for (int task = 0; task < schedule_.forward_tasks; ++task) {
      for (const ValueId output : graph_.node(schedule_.tasks[task].node).outputs) {
        if (output != kNoValue && values_[output].made != kNever) alive[output] = true;
      }
    }
    for (const ValueId input : graph_.inputs()) alive[input] = true;
    for (int task = 0; task < schedule_.forward_tasks; ++task) {
      for (const ValueId value : schedule_.tasks[task].release_values) alive[value] = false;
    }
    for (ValueId value = 0; value < static_cast<ValueId>(alive.size()); ++value) {
      if (alive[value]) schedule_.saved.push_back(value);
    }
  }

  // A rounded copy is soon made again, so that none waits for the backward pass.
  void ReleaseParameters() {
    for (const ValueId parameter : graph_.parameters()) {
      for (const Life& uses : {forward_uses_[parameter], backward_uses_[parameter]}) {
        if (uses.made == kNever) continue;
        schedule_.tasks[uses.made].round_parameters.push_back(parameter);
        schedule_.tasks[uses.last_use].release_parameters.push_back(parameter);
      }
    }
  }

  const Graph& graph_;
  const TensorTable& tensors_;
  Schedule schedule_;
  std::vector<Life> values_;   // by value; only the input and outputs of nodes are ever made
  std::vector<bool> reached_;  // by value: its gradient is computed
  std::vector<Life> forward_uses_, backward_uses_;  // by value: of parameters
  std::vector<bool> is_needed_;  // by node; all false between calls of Recompute()
};

}  // namespace

Schedule MakeSchedule(const Graph& graph, const TensorTable& tensors,
                      const ScheduleOptions& options) {
  return ScheduleBuilder(graph, tensors, options).Build();
}

std::vector<bool> CanRecompute(const Graph& graph, const TensorTable& tensors) {
  std::vector<bool> can(graph.values().size(), false);
  for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes().size()); ++node) {
    // The outputs of several are not made again one by one.
    const std::vector<ValueId>& outputs = graph.node(node).outputs;
    if (outputs.size() != 1 || !TraitsOf(graph.node(node).op).cheap) continue;
    const ValueId output = outputs[0];
    can[output] = tensors.Find(TensorKind::kActivation, output) >= 0;
  }
  // The network's output is read where the forward pass ends.
  if (graph.output() != kNoValue) can[tensors.Resolve(graph.output())] = false;
  return can;
}

}  // namespace mantissa::planner
