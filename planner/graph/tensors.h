// planner/graph/tensors.h
//
// The tensors of a training and their groups (Lee, Sharma, Aiken, TMLR 2023, section 4).
//
// From a Graph: every v, theta, dv and dtheta, each in a group. Walking nodes in execution order,
// each input and every matrix product (operator_table.h) starts a group, any other operator joins
// the current one; shape-only operators make no tensor. A group holds the v and dv of its
// operators, and theta and dtheta of every operator whose first v among its inputs was produced in
// that group (of those that read none, as an embedding, in their own). docs/grouping.md has the
// reasons.
//
// Only what depends on a float input or a parameter is a v: masks, tables and positions that follow
// from integers and constants stay as they are. dv and dtheta are there where a gradient flows; of
// an input there is a dv as the paper counts it. A frozen parameter has theta alone.
//
//   TensorTable table(graph);
//   for (const Tensor& t : table.tensors()) Use(t.name, t.kind, t.group, t.Elements(128));
//
// O(values + nodes). Immutable after construction; thread-safe.

#ifndef MANTISSA_PLANNER_GRAPH_TENSORS_H_
#define MANTISSA_PLANNER_GRAPH_TENSORS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "planner/graph/graph.h"

namespace mantissa::planner {

enum class TensorKind { kActivation, kParameter, kActivationGradient, kParameterGradient };

struct Tensor {
  TensorKind kind;
  // For v and dv the output value (or the input) of the graph, for theta and dtheta the parameter.
  ValueId value;
  // For v and dv the operator's name ("input" for the input), else the parameter's.
  std::string name;
  int group;
  Shape shape;
  int64_t Elements(int64_t batch_size) const { return planner::Elements(shape, batch_size); }
};

class TensorTable {
 public:
  explicit TensorTable(const Graph& graph);

  // By group, then kind (v, theta, dv, dtheta), then execution order.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  int group_count() const { return group_count_; }
  // Index into tensors(), or -1 where the value has no such tensor (a view, a label, a buffer).
  int Find(TensorKind kind, ValueId value) const;
  // Index of the v of the producer of `value`, seen through views; -1 if there is none.
  int FindProduced(ValueId value) const;
  // The value that `value` shows, seen through views: itself if it is no view.
  ValueId Resolve(ValueId value) const { return resolved_[value]; }
  // Elements of each group at a batch size, by group id.
  std::vector<int64_t> GroupElements(int64_t batch_size) const;

 private:
  std::vector<Tensor> tensors_;
  int group_count_ = 0;
  std::vector<int> index_[4];      // [kind][value] -> index into tensors_, or -1
  std::vector<ValueId> resolved_;  // [value] -> value seen through aliases
};

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_TENSORS_H_
