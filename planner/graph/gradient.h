// planner/graph/gradient.h
//
// What the backward pass of an operator reads, keeps and makes: the one table that the schedule, the
// memory model and the engine share.
//
//   const GradientRule rule = GradientRuleOf(graph, node_id);
//   for (ValueId v : rule.reads) Save(v);
//   int64_t bytes = KeptBytes(graph, node_id, rule, /*batch_size=*/128);
//
// An operator that is not in the table is replayed: its forward runs once more under autograd on
// its inputs, so everything with a derivative works. All functions are pure.

#ifndef MANTISSA_PLANNER_GRAPH_GRADIENT_H_
#define MANTISSA_PLANNER_GRAPH_GRADIENT_H_

#include <cstdint>
#include <vector>

#include "planner/graph/graph.h"

namespace mantissa::planner {

enum class GradientKind {
  kView,         // shape-only: the gradient takes the input's shape again
  kConvolution,  // aten::conv2d
  kLinear,
  kBatchNorm,
  kRelu,
  kAdd,
  kCat,
  kSlice,
  kMaxPool,
  kAveragePool,
  kLogSoftmax,
  kNllLoss,
  kReplay,  // anything else
};

// The dimension along which an operator can be run in pieces with the same result.
enum class TileAxis {
  kNone,
  kBatch,    // sample by sample
  kChannel,  // dimension 1, as batch norm, whose statistics are a channel's
  kFlat,     // element by element
};

struct GradientRule {
  GradientKind kind = GradientKind::kReplay;
  // Values (v or theta) that backward reads, each once; its own output among them where it needs
  // that (log-softmax).
  std::vector<ValueId> reads;
  TileAxis axis = TileAxis::kNone;
};

GradientRule GradientRuleOf(const Graph& graph, NodeId node);

// Bytes that a node keeps from forward to backward besides values: a bit an element of ReLU's
// output, a byte an element of max-pool's, mean and inverse deviation of each channel in float32.
int64_t KeptBytes(const Graph& graph, NodeId node, const GradientRule& rule, int64_t batch_size);

// By value: whether a gradient flows to it, so whether it is a parameter or computed from one.
std::vector<bool> NeedsGradient(const Graph& graph);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_GRADIENT_H_
