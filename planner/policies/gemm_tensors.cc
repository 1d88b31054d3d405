#include "planner/policies/gemm_tensors.h"

#include "absl/strings/str_cat.h"
#include "planner/graph/operator_table.h"

namespace mantissa::planner {

std::vector<bool> GemmTensors(const Graph& graph, const TensorTable& tensors,
                              std::vector<std::string>& reasons) {
  std::vector<bool> marked(tensors.tensors().size(), false);
  reasons.assign(marked.size(), "high because no matrix product reads it.");
  const auto mark = [&](int tensor, const char* role, const Node& node) {
    if (tensor < 0 || marked[tensor]) return;
    marked[tensor] = true;
    reasons[tensor] =
        absl::StrCat("low because it is ", role, " of ", node.name, " (", node.op, ").");
  };
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = graph.node(id);
    if (!TraitsOf(node.op).gemm) continue;
    for (const ValueId input : TensorInputs(graph, id)) {
      mark(tensors.FindProduced(input), "an input", node);
      mark(tensors.Find(TensorKind::kParameter, tensors.Resolve(input)), "a parameter", node);
    }
    for (const ValueId output : node.outputs) {
      mark(tensors.Find(TensorKind::kActivationGradient, output), "the gradient of the output",
           node);
    }
  }
  return marked;
}

Assignment AssignTensors(const TensorTable& tensors, const std::vector<bool>& low) {
  Assignment assignment{.group_low = std::vector<bool>(tensors.group_count(), false)};
  assignment.formats.reserve(low.size());
  for (size_t i = 0; i < low.size(); ++i) {
    assignment.formats.push_back(low[i] ? LowFormat(tensors.tensors()[i].kind) : kernels::kHigh);
  }
  return assignment;
}

}  // namespace mantissa::planner
