// planner/graph/gradient.h
//
// What the backward pass of a node reads, keeps and makes, from the table of operators and the
// node's arguments: what the schedule, the memory model and the engine share.
//
//   const std::vector<bool> needs_gradient = NeedsGradient(graph);
//   const GradientRule rule = GradientRuleOf(graph, node_id, needs_gradient);
//   for (ValueId v : rule.reads) Save(v);
//   int64_t bytes = KeptBytes(graph, node_id, rule, /*batch_size=*/128);
//
// What the engine has no way of its own for is replayed: its forward runs once more under autograd,
// so everything with a derivative works. It reads only those inputs whose values its gradient
// depends on; for the others anything of their shape stands in. All functions are pure.

#ifndef MANTISSA_PLANNER_GRAPH_GRADIENT_H_
#define MANTISSA_PLANNER_GRAPH_GRADIENT_H_

#include <cstdint>
#include <vector>

#include "planner/graph/graph.h"
#include "planner/graph/operator_table.h"

namespace mantissa::planner {

// The dimension along which an operator can be run in pieces with the same result.
enum class TileAxis {
  kNone,
  kBatch,    // sample by sample: dimension 0
  kChannel,  // dimension 1, as batch norm, whose statistics are a channel's
  kFlat,     // element by element
};

struct GradientRule {
  GradientKind kind = GradientKind::kReplay;
  // Values (v, theta or views of them, as the node's arguments name them) that backward reads, each
  // once; its own output among them where it needs that (log-softmax). What only the gradient of an
  // input reads is left out where that input needs none.
  std::vector<ValueId> reads;
  TileAxis axis = TileAxis::kNone;
  // A convolution or linear map: whether the gradients of both are asked for.
  bool of_input_and_weight = false;
};

// `needs_gradient` by value, as NeedsGradient() says.
GradientRule GradientRuleOf(const Graph& graph, NodeId node,
                            const std::vector<bool>& needs_gradient);

// Bytes that a node keeps from forward to backward besides values: a bit an element of the output
// of ReLU and dropout, a byte an element of max-pool's, mean and inverse deviation of each channel
// in float32.
int64_t KeptBytes(const Graph& graph, NodeId node, const GradientRule& rule, int64_t batch_size);

// By value: whether a gradient flows to it, so whether it is a parameter that is trained or
// computed from one.
std::vector<bool> NeedsGradient(const Graph& graph);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_GRADIENT_H_
