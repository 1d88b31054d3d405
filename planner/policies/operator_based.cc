#include "planner/policies/operator_based.h"

#include "absl/strings/str_cat.h"
#include "planner/policies/gemm_tensors.h"

namespace mantissa::planner {
namespace {

// The tensors at the ends of the network, and why they are.
class EndsFinder {
 public:
  EndsFinder(const Graph& graph, const TensorTable& tensors, std::vector<std::string>& reasons)
      : graph_(graph),
        tensors_(tensors),
        high_(tensors.tensors().size(), false),
        reasons_(reasons) {
    for (const ValueId input : graph.inputs()) {
      MarkActivation(input, "it is the network's input");
    }
    for (NodeId node = 0; node < static_cast<NodeId>(graph.nodes().size()); ++node) Visit(node);
    MarkLastGroup();
  }

  const std::vector<bool>& high() const { return high_; }

 private:
  int LastGroup() const { return tensors_.group_count() - 1; }

  void Visit(NodeId id) {
    const Node& node = graph_.node(id);
    const std::vector<ValueId> inputs = TensorInputs(graph_, id);
    const bool reads_input = ReadsInput(inputs);
    const bool in_last_group = InLastGroup(node);
    for (const ValueId output : node.outputs) {
      if (reads_input) MarkActivation(output, "its operator reads the network's input");
    }
    for (const ValueId input : inputs) {
      if (reads_input)
        MarkParameter(tensors_.Resolve(input), "its operator reads the network's input");
      if (!in_last_group) continue;
      MarkParameter(tensors_.Resolve(input), "its operator is in the last group");
      const int produced = tensors_.FindProduced(input);
      if (produced >= 0) {
        MarkActivation(tensors_.tensors()[produced].value, "it feeds the last group");
      }
    }
  }

  bool ReadsInput(const std::vector<ValueId>& inputs) const {
    for (const ValueId input : inputs) {
      const int produced = tensors_.FindProduced(input);
      if (produced < 0) continue;
      if (graph_.value(tensors_.tensors()[produced].value).kind == ValueKind::kInput) return true;
    }
    return false;
  }

  bool InLastGroup(const Node& node) const {
    const int v =
        node.outputs.empty() ? -1 : tensors_.Find(TensorKind::kActivation, node.outputs[0]);
    return v >= 0 && tensors_.tensors()[v].group == LastGroup();
  }

  void MarkLastGroup() {
    for (int i = 0; i < static_cast<int>(high_.size()); ++i) {
      if (tensors_.tensors()[i].group == LastGroup()) Mark(i, "it is in the last group");
    }
  }

  void MarkActivation(ValueId value, const char* reason) {
    Mark(tensors_.Find(TensorKind::kActivation, value), reason);
    Mark(tensors_.Find(TensorKind::kActivationGradient, value), reason);
  }

  void MarkParameter(ValueId value, const char* reason) {
    Mark(tensors_.Find(TensorKind::kParameter, value), reason);
    Mark(tensors_.Find(TensorKind::kParameterGradient, value), reason);
  }

  void Mark(int tensor, const char* reason) {
    if (tensor < 0 || high_[tensor]) return;
    high_[tensor] = true;
    reasons_[tensor] = absl::StrCat("high because ", reason, ".");
  }

  const Graph& graph_;
  const TensorTable& tensors_;
  std::vector<bool> high_;
  std::vector<std::string>& reasons_;
};

// By index into tensors.tensors(): whether it is at an end of the network. Sets those tensors'
// `reasons`.
std::vector<bool> MarkEnds(const Graph& graph, const TensorTable& tensors,
                           std::vector<std::string>& reasons) {
  return EndsFinder(graph, tensors, reasons).high();
}

}  // namespace

absl::StatusOr<Assignment> OperatorBased::Assign(const Graph& graph, const TensorTable& tensors,
                                                 int64_t) const {
  std::vector<std::string> reasons(tensors.tensors().size());
  std::vector<bool> low = GemmTensors(graph, tensors, reasons);
  const std::vector<bool> ends = MarkEnds(graph, tensors, reasons);
  for (size_t i = 0; i < low.size(); ++i) low[i] = low[i] && !ends[i];
  return AssignTensors(tensors, low);
}

std::vector<std::string> OperatorBased::Explain(const Graph& graph, const TensorTable& tensors,
                                                const Assignment&, int64_t) const {
  std::vector<std::string> reasons(tensors.tensors().size());
  GemmTensors(graph, tensors, reasons);
  MarkEnds(graph, tensors, reasons);
  return reasons;
}

}  // namespace mantissa::planner
