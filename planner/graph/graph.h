// planner/graph/graph.h
//
// One graph for every model. Nodes are ATen operators with the arguments that torch.export would
// write; values are what they read and make. Built-in networks emit a Graph, an uploaded archive
// emits the same, and everything behind (tensors, groups, policies, cost, engine) reads only it.
//
//   Graph graph("toy");
//   ValueId x = graph.AddInput("input", DType::kFloat32, {Dim::Batch(), 3, 32, 32});
//   ValueId w = graph.AddParameter("conv1.weight", {8, 3, 3, 3});
//   ValueId y = graph.AddNode({.name = "conv1", .op = "aten::conv2d", .args = {
//       {"input", x_ref}, {"weight", w_ref}, {"bias", {}}, {"stride", ints}, ...}},
//       DType::kFloat32, {Dim::Batch(), 8, 32, 32});
//
// Glossary:
//   shape-only  an operator that makes no tensor of its own (view, flatten, permute, reshape...)
//   v, theta    output of an operator that is not shape-only; parameter
//   dv, dtheta  their gradients
//   producer    of a value: the node that is not shape-only whose output it is, seen through views
//
// Plain data: copyable, no locks; const access from many threads is safe.

#ifndef MANTISSA_PLANNER_GRAPH_GRAPH_H_
#define MANTISSA_PLANNER_GRAPH_GRAPH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mantissa::planner {

// Index into Graph::values().
using ValueId = int32_t;
// Index into Graph::nodes().
using NodeId = int32_t;
inline constexpr ValueId kNoValue = -1;
inline constexpr NodeId kNoNode = -1;

enum class DType { kFloat32, kFloat64, kFloat16, kBFloat16, kInt64, kInt32, kUInt8, kBool };

// Of one element.
int64_t BytesOf(DType dtype);

// One dimension: a number, or that number times the batch size.
struct Dim {
  int64_t factor = 1;
  bool times_batch = false;

  Dim(int64_t size) : factor(size) {}  // NOLINT: a number is a dimension
  static Dim Batch(int64_t factor = 1) {
    Dim dim(factor);
    dim.times_batch = true;
    return dim;
  }
  int64_t At(int64_t batch_size) const { return times_batch ? factor * batch_size : factor; }
  friend bool operator==(const Dim&, const Dim&) = default;
};
using Shape = std::vector<Dim>;

// Elements of `shape` at a batch size. A shape of no dimensions has one element.
int64_t Elements(const Shape& shape, int64_t batch_size);
// Its dimensions as numbers.
std::vector<int64_t> SizesAt(const Shape& shape, int64_t batch_size);

// The same as a double, which does not overflow.
double ApproximateElements(const Shape& shape, int64_t batch_size);

// A value as an argument.
struct ValueRef {
  ValueId id = kNoValue;
  friend bool operator==(const ValueRef&, const ValueRef&) = default;
};

// What torch.export writes for one argument; std::monostate is None. Sizes that depend on the batch
// are a Dim, and a list in which there are such is a Shape. In a list of values, None is kNoValue.
using ArgumentValue = std::variant<std::monostate, bool, int64_t, double, std::string, DType,
                                   ValueRef, Dim, std::vector<bool>, std::vector<int64_t>,
                                   std::vector<double>, std::vector<ValueRef>, Shape>;

// An argument by the name that the operator's schema gives it. Those left out have their defaults.
struct Argument {
  std::string name;
  ArgumentValue value;
};

// An operator call.
struct Node {
  // Unique in the graph, for instance "layer1.0.conv1".
  std::string name;
  // "aten::conv2d". The loss with label smoothing is "mantissa::smoothed_nll_loss", the only
  // operator of our own: (log_probabilities, target, smoothing) -> mean loss.
  std::string op;
  // Overload name of the schema: "" or for instance "Tensor".
  std::string overload;
  std::vector<Argument> args;
  // By the schema's results; kNoValue where nothing reads one.
  std::vector<ValueId> outputs;
};

enum class ValueKind {
  kInput,      // a batch of samples
  kTarget,     // a batch of labels
  kParameter,  // trained, unless it is frozen
  kBuffer,     // state that is not trained: running statistics
  kConstant,   // a tensor fixed in the model
  kComputed,   // output of a node
};

struct Value {
  std::string name;
  ValueKind kind = ValueKind::kComputed;
  DType dtype = DType::kFloat32;
  Shape shape;
  // The node that makes it; kNoNode unless kComputed.
  NodeId producer = kNoNode;
  // For the output of a shape-only or in-place operator: the value whose memory it shows.
  ValueId alias_of = kNoValue;
  // A parameter that is not trained: no gradient, no optimizer state.
  bool frozen = false;
};

class Graph {
 public:
  explicit Graph(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  const std::vector<Value>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const Value& value(ValueId id) const { return values_[id]; }
  const Node& node(NodeId id) const { return nodes_[id]; }

  // In the order they were added.
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& parameters() const { return parameters_; }
  const std::vector<ValueId>& buffers() const { return buffers_; }
  const std::vector<ValueId>& constants() const { return constants_; }
  // Labels, or what the output is compared with; kNoValue before AttachLoss() (loss.h).
  ValueId target() const { return target_; }
  // What the model returns: for a classifier the logits [N, classes].
  ValueId output() const { return output_; }
  // Mean loss over the batch; kNoValue before AttachLoss() (loss.h).
  ValueId loss() const { return loss_; }

  ValueId AddInput(std::string name, DType dtype, Shape shape);
  ValueId AddTarget(std::string name, DType dtype, Shape shape);
  ValueId AddParameter(std::string name, Shape shape);
  ValueId AddBuffer(std::string name, DType dtype, Shape shape);
  ValueId AddConstant(std::string name, DType dtype, Shape shape);
  // Appends a node with one output. REQUIRES: its arguments' values exist; names are unique.
  // `alias_of` marks a shape-only or in-place operator.
  ValueId AddNode(Node node, DType dtype, Shape shape, ValueId alias_of = kNoValue);
  // The same with an output for each of `outputs`. A single one has the node's name, several have
  // it with ".0", ".1" and so on. One that is nullopt is not made: kNoValue.
  struct Output {
    DType dtype = DType::kFloat32;
    Shape shape;
    ValueId alias_of = kNoValue;
  };
  std::vector<ValueId> AddNode(Node node, std::vector<std::optional<Output>> outputs);
  // REQUIRES: a parameter.
  void Freeze(ValueId parameter) { values_[parameter].frozen = true; }
  void SetOutput(ValueId output) { output_ = output; }
  void SetLoss(ValueId loss) { loss_ = loss; }

 private:
  ValueId AddValue(Value value);

  std::string name_;
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_, parameters_, buffers_, constants_;
  ValueId target_ = kNoValue, output_ = kNoValue, loss_ = kNoValue;
};

// Appends the values that the argument names, None in lists left out.
void AppendValues(const Argument& argument, std::vector<ValueId>& values);

// Reads of `node`'s arguments that are tensors, in order, lists flattened.
std::vector<ValueId> TensorInputs(const Graph& graph, NodeId node);

}  // namespace mantissa::planner

#endif  // MANTISSA_PLANNER_GRAPH_GRAPH_H_
