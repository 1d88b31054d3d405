#include "planner/graph/tensors.h"

#include <algorithm>
#include <utility>

#include "planner/graph/gradient.h"
#include "planner/graph/operator_table.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

// The group of each v and theta, found by one walk in execution order.
class GroupWalk {
 public:
  explicit GroupWalk(const Graph& graph, const std::vector<ValueId>& resolved)
      : graph_(graph),
        resolved_(resolved),
        takes_part_(graph.values().size(), false),
        group_of_(graph.values().size(), -1) {
    for (const ValueId parameter : graph.parameters()) takes_part_[parameter] = true;
    for (const ValueId input : graph.inputs()) {
      takes_part_[input] = IsFloatingPoint(graph.value(input).dtype);
      if (takes_part_[input]) AddActivation(input, group_count_++);
    }
    for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes().size()); ++node) Visit(node);
  }

  int group_count() const { return group_count_; }
  // v of inputs and operators, then theta, each in execution order.
  const std::vector<Tensor>& activations() const { return activations_; }
  const std::vector<Tensor>& parameters() const { return parameters_; }

 private:
  void Visit(NodeId id) {
    const Node& node = graph_.node(id);
    const std::vector<ValueId> inputs = ValueInputs(graph_, id);
    const bool takes_part = std::any_of(inputs.begin(), inputs.end(),
                                        [&](ValueId input) { return takes_part_[input]; });
    bool makes_tensor = false;
    for (const ValueId output : node.outputs) {
      if (output == kNoValue) continue;
      // Numbers that follow from them too: a mask of what is positive depends on what it masks.
      takes_part_[output] = takes_part;
      makes_tensor = makes_tensor || IsFloatingPoint(graph_.value(output).dtype);
    }
    if (!takes_part || !makes_tensor || IsShapeOnly(graph_, node)) return;
    if (TraitsOf(node.op).gemm || group_count_ == 0) ++group_count_;
    const int group = group_count_ - 1;
    AddParametersOf(id, group);
    for (const ValueId output : node.outputs) {
      if (output == kNoValue || !IsFloatingPoint(graph_.value(output).dtype)) continue;
      AddActivation(output, group);
    }
  }

  // One that several operators read belongs to the first of them.
  void AddParametersOf(NodeId id, int current_group) {
    const std::vector<ValueId> inputs = TensorInputs(graph_, id);
    int group = current_group;
    for (const ValueId input : inputs) {
      const ValueId source = resolved_[input];
      if (graph_.value(source).kind == ValueKind::kParameter || group_of_[source] < 0) continue;
      group = group_of_[source];
      break;
    }
    for (const ValueId input : inputs) {
      const ValueId source = resolved_[input];
      const Value& value = graph_.value(source);
      if (value.kind != ValueKind::kParameter || group_of_[source] >= 0) continue;
      group_of_[source] = group;
      parameters_.push_back({TensorKind::kParameter, source, value.name, group, value.shape});
    }
  }

  void AddActivation(ValueId id, int group) {
    const Value& value = graph_.value(id);
    group_of_[id] = group;
    activations_.push_back({TensorKind::kActivation, id, value.name, group, value.shape});
  }

  const Graph& graph_;
  const std::vector<ValueId>& resolved_;
  std::vector<bool> takes_part_;  // [value]: depends on a float input or a parameter
  std::vector<int> group_of_;     // [value], -1 where it has none (yet)
  int group_count_ = 0;
  std::vector<Tensor> activations_, parameters_;
};

// [value] -> the value that a chain of shape-only operators shows.
std::vector<ValueId> ResolveViews(const Graph& graph) {
  std::vector<ValueId> resolved(graph.values().size());
  for (ValueId id = 0; id < static_cast<ValueId>(resolved.size()); ++id) {
    const Value& value = graph.value(id);
    const bool is_view =
        value.producer != kNoNode && IsShapeOnly(graph, graph.node(value.producer));
    resolved[id] = is_view ? resolved[value.alias_of] : id;
  }
  return resolved;
}

}  // namespace

TensorTable::TensorTable(const Graph& graph) : resolved_(ResolveViews(graph)) {
  const GroupWalk walk(graph, resolved_);
  group_count_ = walk.group_count();
  const std::vector<bool> needs_gradient = NeedsGradient(graph);
  tensors_.reserve(2 * (walk.activations().size() + walk.parameters().size()));
  for (const std::vector<Tensor>* forward : {&walk.activations(), &walk.parameters()}) {
    for (const Tensor& tensor : *forward) {
      tensors_.push_back(tensor);
      const bool is_input = graph.value(tensor.value).kind == ValueKind::kInput;
      if (!is_input && !needs_gradient[tensor.value]) continue;
      Tensor gradient = tensor;
      gradient.kind = tensor.kind == TensorKind::kActivation ? TensorKind::kActivationGradient
                                                             : TensorKind::kParameterGradient;
      tensors_.push_back(std::move(gradient));
    }
  }
  std::stable_sort(tensors_.begin(), tensors_.end(), [](const Tensor& a, const Tensor& b) {
    return std::pair(a.group, a.kind) < std::pair(b.group, b.kind);
  });
  for (std::vector<int>& index : index_) index.assign(graph.values().size(), -1);
  for (int i = 0; i < static_cast<int>(tensors_.size()); ++i) {
    index_[static_cast<int>(tensors_[i].kind)][tensors_[i].value] = i;
  }
}

int TensorTable::Find(TensorKind kind, ValueId value) const {
  return value == kNoValue ? -1 : index_[static_cast<int>(kind)][value];
}

int TensorTable::FindProduced(ValueId value) const {
  return value == kNoValue ? -1 : Find(TensorKind::kActivation, resolved_[value]);
}

std::vector<int64_t> TensorTable::GroupElements(int64_t batch_size) const {
  std::vector<int64_t> elements(group_count_, 0);
  for (const Tensor& tensor : tensors_) elements[tensor.group] += tensor.Elements(batch_size);
  return elements;
}

}  // namespace mantissa::planner
