#include "planner/cost/gradient_spans.h"

#include <algorithm>
#include <utility>

#include "kernels/formats/format.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

constexpr int kNever = -1;

class GradientSpans {
 public:
  GradientSpans(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
                int64_t batch_size)
      : graph_(graph),
        tensors_(tensors),
        schedule_(schedule),
        batch_size_(batch_size),
        backward_of_(graph.nodes().size(), kNever),
        shares_(graph.values().size()) {
    for (int task = 0; task < LastPoint(); ++task) {
      const Task& t = schedule_.tasks[task];
      if (t.kind == Task::Kind::kBackward) backward_of_[t.node] = task;
    }
  }

  std::vector<MemorySpan> Build() && {
    for (int task = schedule_.forward_tasks; task < LastPoint(); ++task) {
      const Task& t = schedule_.tasks[task];
      if (t.kind != Task::Kind::kBackward) continue;
      if (SharesItsInput(graph_, graph_.node(t.node))) continue;
      if (schedule_.rules[t.node].kind == GradientKind::kAdd) {
        AddGradientsOfSum(t.node, task);
        continue;
      }
      for (const ValueId input : ValueInputs(graph_, t.node)) {
        if (!schedule_.needs_gradient[input]) continue;
        if (graph_.value(tensors_.Resolve(input)).kind == ValueKind::kParameter) {
          AddShare(input, task);
        } else {
          AddGradient(input, task);
        }
      }
    }
    AddParameterGradients();
    return std::move(spans_);
  }

 private:
  int LastPoint() const { return static_cast<int>(schedule_.tasks.size()); }

  int64_t ElementsOf(ValueId value) const {
    return Elements(graph_.value(value).shape, batch_size_);
  }

  // The task up to which the gradient of a value is held, views of it as the value itself.
  int LastHolder(ValueId value) const {
    while (true) {
      const NodeId node = graph_.value(value).producer;
      if (node == kNoNode || backward_of_[node] == kNever) return kNever;
      if (!SharesItsInput(graph_, graph_.node(node))) return backward_of_[node];
      value = graph_.value(value).alias_of;
    }
  }

  void AddGradient(ValueId input, int task, NodeId when_packed = kNoNode) {
    const int dv = tensors_.Find(TensorKind::kActivationGradient, tensors_.Resolve(input));
    if (dv < 0) return;
    spans_.push_back({.first = task,
                      .last = std::max(task, LastHolder(input)),
                      .kind = MemoryKind::kGradients,
                      .tensor = dv,
                      .size = ElementsOf(input),
                      .node = when_packed,
                      .made = MemorySpan::Made::kStored,
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
    spans_.push_back({.first = std::min(task + 1, last),
                      .last = last,
                      .kind = MemoryKind::kGradients,
                      .tensor = tensors_.Find(TensorKind::kActivationGradient, sum),
                      .size = ElementsOf(sum),
                      .node = node,
                      .as_computed = true});
  }

  // Of a parameter or a view of one, from one operator. In fp32 until it has been added to the
  // rest.
  void AddShare(ValueId input, int task) {
    const ValueId parameter = tensors_.Resolve(input);
    if (input != parameter) {
      spans_.push_back({.first = task,
                        .last = std::max(task, LastHolder(input)),
                        .kind = MemoryKind::kGradients,
                        .size = ElementsOf(input) * kernels::kFp32.bytes(),
                        .made = MemorySpan::Made::kFinished});
    }
    Shares& shares = shares_[parameter];
    if (shares.first == kNever) shares.first = task;
    shares.last = task;
  }

  // Added up in fp32, rounded with the last.
  void AddParameterGradients() {
    for (const ValueId parameter : graph_.parameters()) {
      const auto [first, last] = shares_[parameter];
      const int dtheta = tensors_.Find(TensorKind::kParameterGradient, parameter);
      if (first == kNever || dtheta < 0) continue;
      if (first < last) {
        spans_.push_back({.first = first,
                          .last = last,
                          .kind = MemoryKind::kGradients,
                          .size = ElementsOf(parameter) * kernels::kFp32.bytes(),
                          .made = MemorySpan::Made::kFinished});
      }
      spans_.push_back({.first = last,
                        .last = LastPoint(),
                        .kind = MemoryKind::kGradients,
                        .tensor = dtheta,
                        .size = ElementsOf(parameter),
                        .made = MemorySpan::Made::kFinished});
    }
  }

  // Tasks.
  struct Shares {
    int first = kNever, last = kNever;
  };

  const Graph& graph_;
  const TensorTable& tensors_;
  const Schedule& schedule_;
  const int64_t batch_size_;
  std::vector<int> backward_of_;  // by node: tasks
  std::vector<Shares> shares_;    // by value: of parameters
  std::vector<MemorySpan> spans_;
};

}  // namespace

std::vector<MemorySpan> GradientSpansOf(const Graph& graph, const TensorTable& tensors,
                                        const Schedule& schedule, int64_t batch_size) {
  return GradientSpans(graph, tensors, schedule, batch_size).Build();
}

}  // namespace mantissa::planner
