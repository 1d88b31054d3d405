// planner/graph/loss.h
//
// The loss that a model is trained with, appended to its graph.
//
//   RETURN_IF_ERROR(AttachLoss(graph, {.kind = LossKind::kCrossEntropy, .label_smoothing = 0.1}));
//   graph.loss(), graph.target();
//
// Target and output are, by rank of the output:
//
//   loss                output               target
//   cross-entropy, nll  [N, classes]         int64 [N]
//                       [N, T, classes]      int64 [N, T]
//                       [N, classes, H, W]   int64 [N, H, W]
//   mse, bce            any                  float32 of the output's shape
//
// where N may be a multiple of the batch. Each is the mean over all positions, of cross-entropy and
// nll over those whose label is not `ignore_index`. In sizes the loss counts as N elements, though
// it is one number (its value has shape {N}).

#ifndef MANTISSA_PLANNER_GRAPH_LOSS_H_
#define MANTISSA_PLANNER_GRAPH_LOSS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "planner/graph/graph.h"

namespace mantissa::planner {

enum class LossKind {
  kCrossEntropy,  // of logits
  kNll,           // of log-probabilities
  kMse,
  kBce,  // of logits
};

struct LossOptions {
  LossKind kind = LossKind::kCrossEntropy;
  // 0.0 to below 1.0; of cross-entropy only.
  double label_smoothing = 0;
  // Positions of this label are left out; of cross-entropy and nll.
  int64_t ignore_index = -100;
};

// Whether its targets are labels, so that right ones can be counted.
inline bool HasLabels(LossKind kind) {
  return kind == LossKind::kCrossEntropy || kind == LossKind::kNll;
}

// The dimension of the output that classes are in, where the loss has labels: 1, or 2 of [N, T,
// classes].
int ClassDimension(const Graph& graph);

// Appends "criterion...." nodes and sets target and loss. InvalidArgument (fields "loss",
// "label_smoothing") says what the output must be, and leaves the graph as it was. REQUIRES: the
// graph has an output and no loss.
absl::Status AttachLoss(Graph& graph, const LossOptions& options);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_LOSS_H_
