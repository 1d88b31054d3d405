// A small graph for tests whose numbers can be computed by hand:
//
//   input [N, 3] -> fc1 [N, 4] -> relu [N, 4] -+-> fc2 [N, 2] -+-> sum [N, 2] -> loss
//                                              +-> fc3 [N, 2] -+
//
// relu has two consumers, so its gradient is a sum; sum has two inputs.
#ifndef MANTISSA_TESTS_SERVER_ENGINE_TINY_GRAPH_H_
#define MANTISSA_TESTS_SERVER_ENGINE_TINY_GRAPH_H_

#include <vector>

#include "base/status.h"
#include "planner/cost/cost.h"
#include "planner/graph/loss.h"
#include "planner/plan.h"

namespace mantissa::engine {

inline planner::Graph TinyGraph(double label_smoothing = 0) {
  using planner::Dim;
  using planner::ValueId;
  using planner::ValueRef;
  planner::Graph graph("tiny");
  const auto linear = [&](const char* name, ValueId x, int64_t in, int64_t out) {
    const ValueId weight = graph.AddParameter(std::string(name) + ".weight", {out, in});
    const ValueId bias = graph.AddParameter(std::string(name) + ".bias", {out});
    return graph.AddNode(
        {.name = name,
         .op = "aten::linear",
         .args = {{"input", ValueRef{x}}, {"weight", ValueRef{weight}}, {"bias", ValueRef{bias}}}},
        planner::DType::kFloat32, {Dim::Batch(), out});
  };
  const ValueId input =
      graph.AddInput("input", planner::DType::kFloat32, {Dim::Batch(), int64_t{3}});
  const ValueId fc1 = linear("fc1", input, 3, 4);
  const ValueId relu =
      graph.AddNode({.name = "relu", .op = "aten::relu", .args = {{"self", ValueRef{fc1}}}},
                    planner::DType::kFloat32, {Dim::Batch(), int64_t{4}});
  const ValueId fc2 = linear("fc2", relu, 4, 2);
  const ValueId fc3 = linear("fc3", relu, 4, 2);
  // alpha is left to its default.
  const ValueId sum = graph.AddNode({.name = "sum",
                                     .op = "aten::add",
                                     .overload = "Tensor",
                                     .args = {{"self", ValueRef{fc2}}, {"other", ValueRef{fc3}}}},
                                    planner::DType::kFloat32, {Dim::Batch(), int64_t{2}});
  graph.SetOutput(sum);
  MANTISSA_CHECK_OK(planner::AttachLoss(graph, {.label_smoothing = label_smoothing}));
  return graph;
}

// Everything in the formats given, by kind: v, theta, dv, dtheta.
inline planner::Plan PlanWith(planner::Graph graph, kernels::Format v, kernels::Format theta,
                              kernels::Format dv, kernels::Format dtheta, int64_t batch_size) {
  planner::TensorTable tensors(graph);
  planner::Assignment assignment;
  for (const planner::Tensor& tensor : tensors.tensors()) {
    switch (tensor.kind) {
      case planner::TensorKind::kActivation:
        assignment.formats.push_back(v);
        break;
      case planner::TensorKind::kParameter:
        assignment.formats.push_back(theta);
        break;
      case planner::TensorKind::kActivationGradient:
        assignment.formats.push_back(dv);
        break;
      case planner::TensorKind::kParameterGradient:
        assignment.formats.push_back(dtheta);
        break;
    }
  }
  assignment.group_low.resize(tensors.group_count(), false);
  const planner::Cost cost =
      planner::CostOf(tensors, assignment.formats, assignment.group_low, batch_size);
  return {.graph = std::move(graph),
          .tensors = std::move(tensors),
          .assignment = std::move(assignment),
          .cost = cost};
}

}  // namespace mantissa::engine

#endif  // MANTISSA_TESTS_SERVER_ENGINE_TINY_GRAPH_H_
