// A graph such as an exported model gives, for tests: two inputs, tokens of 5 out of 11 words and
// features of 8 numbers each; attention with rotary-like tables, an LSTM, tied weights, lists of
// tensors, sizes that depend on the batch, constants, and a loss over positions.
#ifndef MANTISSA_TESTS_SERVER_ENGINE_EXPORTED_GRAPH_H_
#define MANTISSA_TESTS_SERVER_ENGINE_EXPORTED_GRAPH_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/tensor.h"
#include "base/status.h"
#include "planner/plan.h"
#include "server/engine/model_state.h"
#include "server/engine/step.h"
#include "tests/server/engine/random_tensors.h"

namespace mantissa::engine {

class ExportedGraph {
 public:
  static constexpr int64_t kWords = 11, kLength = 5, kWidth = 8;

  // Dropout of attention and of its result; 0: none.
  static planner::Graph Make(double dropout) { return ExportedGraph(dropout).Build(); }

  static ModelState State(const planner::Graph& graph) {
    ModelState state = EmptyState(graph);
    for (size_t i = 0; i < state.parameters.size(); ++i) {
      state.parameters[i] = RandomTensor(state.parameters[i].sizes(), /*seed=*/20 + i, 0.4);
    }
    state.constants[0] = at::tensor(std::vector<int64_t>{4, 0, 4});
    state.constants[1] = RandomTensor({kLength, kWidth}, /*seed=*/5);
    return state;
  }

  // Every sixth label is ignored.
  static Batch Samples(int64_t count, uint64_t seed) {
    at::Tensor labels = RandomLabels(count * 4, kWords, seed + 1);
    for (int64_t i = 0; i < labels.numel(); i += 6) labels[i] = -100;
    return {.inputs = {RandomLabels(count * kLength, kWords, seed).view({count, kLength}),
                       RandomTensor({count, kLength, kWidth}, seed)},
            .target = labels.view({count, 4})};
  }

 private:
  using Dim = planner::Dim;
  using Shape = planner::Shape;
  using ValueId = planner::ValueId;
  using ValueRef = planner::ValueRef;
  using Ints = std::vector<int64_t>;

  explicit ExportedGraph(double dropout) : graph_("exported"), dropout_(dropout) {}

  static Shape Batched(const Ints& sizes) {
    Shape shape = {Dim::Batch()};
    shape.insert(shape.end(), sizes.begin(), sizes.end());
    return shape;
  }
  ValueRef Parameter(const std::string& name, const Ints& sizes) {
    return {graph_.AddParameter(name, Shape(sizes.begin(), sizes.end()))};
  }
  ValueId Node(const std::string& name, const std::string& op, const std::string& overload,
               std::vector<planner::Argument> args, const Ints& sizes,
               ValueId alias_of = planner::kNoValue) {
    return graph_.AddNode(
        {.name = name, .op = "aten::" + op, .overload = overload, .args = std::move(args)},
        planner::DType::kFloat32, Batched(sizes), alias_of);
  }
  ValueId Linear(const std::string& name, ValueId x, ValueRef weight, const Ints& sizes) {
    return Node(name, "linear", "", {{"input", ValueRef{x}}, {"weight", weight}}, sizes);
  }

  // [N, 5, 8] -> [N, 2, 5, 4]
  ValueId Heads(const std::string& name, ValueId x) {
    const ValueId split = Node(
        name + ".split", "view", "",
        {{"self", ValueRef{x}}, {"size", Shape{Dim::Batch(), kLength, int64_t{2}, int64_t{4}}}},
        {kLength, 2, 4}, x);
    return Node(name, "transpose", "int",
                {{"self", ValueRef{split}}, {"dim0", int64_t{1}}, {"dim1", int64_t{2}}},
                {2, kLength, 4}, split);
  }

  ValueId Attention(ValueId x) {
    const ValueId norm = Node("norm", "layer_norm", "",
                              {{"input", ValueRef{x}},
                               {"normalized_shape", Ints{kWidth}},
                               {"weight", Parameter("norm.weight", {kWidth})},
                               {"bias", Parameter("norm.bias", {kWidth})}},
                              {kLength, kWidth});
    const ValueId qkv =
        Linear("qkv", norm, Parameter("qkv.weight", {3 * kWidth, kWidth}), {kLength, 3 * kWidth});
    const planner::Graph::Output part = {.shape = Batched({kLength, kWidth})};
    const std::vector<ValueId> parts = graph_.AddNode(
        {.name = "chunk",
         .op = "aten::chunk",
         .args = {{"self", ValueRef{qkv}}, {"chunks", int64_t{3}}, {"dim", int64_t{2}}}},
        {part, part, part});
    const ValueId turned =
        Node("rotary", "mul", "Tensor", {{"self", ValueRef{parts[0]}}, {"other", ValueRef{table_}}},
             {kLength, kWidth});
    const ValueId attention = Node("attention", "scaled_dot_product_attention", "",
                                   {{"query", ValueRef{Heads("q", turned)}},
                                    {"key", ValueRef{Heads("k", parts[1])}},
                                    {"value", ValueRef{Heads("v", parts[2])}},
                                    {"dropout_p", dropout_},
                                    {"is_causal", true}},
                                   {2, kLength, 4});
    const ValueId back =
        Node("back", "transpose", "int",
             {{"self", ValueRef{attention}}, {"dim0", int64_t{1}}, {"dim1", int64_t{2}}},
             {kLength, 2, 4}, attention);
    const ValueId joined =
        Node("joined", "reshape", "",
             {{"self", ValueRef{back}}, {"shape", Shape{Dim::Batch(), kLength, kWidth}}},
             {kLength, kWidth}, back);
    return Node("dropout", "dropout", "",
                {{"input", ValueRef{joined}}, {"p", dropout_}, {"train", true}}, {kLength, kWidth});
  }

  // Three rows and a learned one, through an LSTM: [N, 4, 8].
  ValueId Recurrent(ValueId x) {
    const ValueId rows =
        Node("rows", "index", "Tensor",
             {{"self", ValueRef{x}}, {"indices", std::vector<ValueRef>{{}, ValueRef{picked_}}}},
             {3, kWidth});
    const ValueId first = Node("first", "expand", "",
                               {{"self", Parameter("first", {1, 1, kWidth})},
                                {"size", Shape{Dim::Batch(), int64_t{-1}, int64_t{-1}}}},
                               {1, kWidth});
    const ValueId all = Node(
        "all", "cat", "",
        {{"tensors", std::vector<ValueRef>{{first}, {rows}}}, {"dim", int64_t{1}}}, {4, kWidth});
    const ValueId zeros =
        graph_.AddNode({.name = "zeros",
                        .op = "aten::zeros",
                        .args = {{"size", Shape{int64_t{1}, Dim::Batch(), kWidth}}}},
                       planner::DType::kFloat32, {int64_t{1}, Dim::Batch(), kWidth});
    const std::vector<ValueRef> weights = {Parameter("lstm.weight_ih", {4 * kWidth, kWidth}),
                                           Parameter("lstm.weight_hh", {4 * kWidth, kWidth}),
                                           Parameter("lstm.bias_ih", {4 * kWidth}),
                                           Parameter("lstm.bias_hh", {4 * kWidth})};
    return graph_.AddNode(
        {.name = "lstm",
         .op = "aten::lstm",
         .overload = "input",
         .args = {{"input", ValueRef{all}},
                  {"hx", std::vector<ValueRef>{{zeros}, {zeros}}},
                  {"params", weights},
                  {"has_biases", true},
                  {"num_layers", int64_t{1}},
                  {"dropout", 0.0},
                  {"train", true},
                  {"bidirectional", false},
                  {"batch_first", true}}},
        {planner::Graph::Output{.shape = Batched({4, kWidth})}, std::nullopt, std::nullopt})[0];
  }

  planner::Graph Build() {
    const ValueId tokens = graph_.AddInput("tokens", planner::DType::kInt64, Batched({kLength}));
    const ValueId features =
        graph_.AddInput("features", planner::DType::kFloat32, Batched({kLength, kWidth}));
    picked_ = graph_.AddConstant("picked", planner::DType::kInt64, {int64_t{3}});
    table_ = graph_.AddConstant("table", planner::DType::kFloat32, {kLength, kWidth});
    const ValueRef words = Parameter("words", {kWords, kWidth});
    const ValueId embedded =
        Node("embedding", "embedding", "", {{"weight", words}, {"indices", ValueRef{tokens}}},
             {kLength, kWidth});
    const ValueId x =
        Node("sum", "add", "Tensor", {{"self", ValueRef{embedded}}, {"other", ValueRef{features}}},
             {kLength, kWidth});
    const ValueId y =
        Node("residual", "add", "Tensor",
             {{"self", ValueRef{x}}, {"other", ValueRef{Attention(x)}}}, {kLength, kWidth});
    const ValueId gelu = Node("gelu", "gelu", "", {{"self", ValueRef{y}}, {"approximate", "tanh"}},
                              {kLength, kWidth});
    const ValueId square =
        Node("square", "mul", "Tensor", {{"self", ValueRef{gelu}}, {"other", ValueRef{gelu}}},
             {kLength, kWidth});
    // Tied: the words are read at both ends.
    graph_.SetOutput(Linear("head", Recurrent(square), words, {4, kWords}));
    return std::move(graph_);
  }

  planner::Graph graph_;
  const double dropout_;
  ValueId picked_ = planner::kNoValue, table_ = planner::kNoValue;
};

// Of the graph above, or of one like it.
inline planner::Plan ExportedPlan(planner::Graph graph, const std::string& policy,
                                  std::optional<double> low_ratio, int64_t batch_size,
                                  planner::PlanRequest request = {}) {
  request.uploaded = std::make_shared<planner::Graph>(std::move(graph));
  request.precision = {.policy = policy, .low_ratio = low_ratio};
  request.batch_size = batch_size;
  auto plan = planner::MakePlan(request);
  MANTISSA_CHECK_OK(plan);
  return *std::move(plan);
}

}  // namespace mantissa::engine

#endif  // MANTISSA_TESTS_SERVER_ENGINE_EXPORTED_GRAPH_H_
