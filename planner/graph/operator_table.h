// planner/graph/operator_table.h
//
// What the planner knows of ATen's operators, in one table: which start a group, which only show
// their input, which are random, and which inputs' values a backward pass reads.
//
//   const OperatorTraits& traits = TraitsOf(node.op);
//   if (traits.gemm) StartGroup();
//   if (!traits.known) Warn(node.op);
//
// An operator that is not in the table runs all the same: it joins the current group, makes a
// tensor, and its backward pass reads everything it reads. In-place forms ("aten::add_") are known
// as the operator itself. What holds for an overload holds for all.
//
// Built once, then immutable; thread-safe. O(1) a look-up.

#ifndef MANTISSA_PLANNER_GRAPH_OPERATOR_TABLE_H_
#define MANTISSA_PLANNER_GRAPH_OPERATOR_TABLE_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace mantissa::planner {

// How the gradient of an operator is computed.
enum class GradientKind {
  kView,         // shape-only: the gradient takes the input's shape again
  kConvolution,  // aten::conv2d
  kLinear,
  kBatchNorm,  // with the batch's statistics
  kRelu,
  kAdd,  // of two tensors of one shape
  kCat,
  kSlice,
  kMaxPool,  // with windows of at most 256 elements
  kAveragePool,
  kLogSoftmax,
  kNllLoss,  // mean over the batch, classes not weighted; smoothed too
  kDropout,  // with a bit an element for what was kept
  kReplay,   // anything else: its forward runs once more under autograd
};

// An argument whose value the backward pass reads.
struct ArgumentRead {
  absl::string_view argument;
  // Only where the gradient of this argument is asked for; "" for always.
  absl::string_view for_gradient_of;
};

struct OperatorTraits {
  bool known = false;
  // A matrix product, or like one: a convolution, attention, an embedding, a recurrent layer.
  bool gemm = false;
  // Its output shows its first input, in another shape or order or as it is: no tensor of its own.
  bool view = false;
  // Such an output is made in memory of its own, for elements are stored in order.
  bool reorders = false;
  // Shows its input only where their types are one.
  bool cast = false;
  // Draws random numbers, unless its arguments say otherwise (p = 0, train = false).
  bool random = false;
  // Worth running again to save memory, with the same result.
  bool cheap = false;
  // No gradient flows through it.
  bool stops_gradient = false;
  // On a part of its samples it gives that part of its outputs, where it is not told to work along
  // the first dimension.
  bool sample_wise = false;
  // The engine's own way, where the arguments are such that it covers them (GradientRuleOf()).
  GradientKind kind = GradientKind::kReplay;
  // Of an operator that is known: what its backward pass reads when it is replayed. Outputs are
  // made once more, so an operator whose derivative is told by its output reads its input.
  std::vector<ArgumentRead> reads;
  // Arguments of which only shape and type matter, forward too.
  std::vector<absl::string_view> shapes;

  bool OnlyItsShape(absl::string_view argument) const;
};

// `op` as a node has it: "aten::conv2d".
const OperatorTraits& TraitsOf(absl::string_view op);

// For the import of models: whether the output of `op` shows its input (AddNode's alias_of). A
// `cast` does where both have one type, a dropout where it is off. With detach no gradient flows to
// what is shown.
bool IsViewOperator(absl::string_view op);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_OPERATOR_TABLE_H_
