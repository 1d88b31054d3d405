// What GraphRunner's tasks read, tile by tile; part of graph_runner.
//
//   GraphRunner::NodeInputs inputs(runner, node);
//   inputs.set_tile(tile);
//   step.op->Forward(context, inputs, step.kept);
#ifndef MANTISSA_SERVER_ENGINE_GRAPH_RUNNER_INPUTS_H_
#define MANTISSA_SERVER_ENGINE_GRAPH_RUNNER_INPUTS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "server/engine/graph_runner.h"

namespace mantissa::engine {

class GraphRunner::NodeInputs : public TileInputs {
 public:
  // `moves_buffers`: the operator may change running statistics.
  NodeInputs(GraphRunner& runner, planner::NodeId node, bool moves_buffers)
      : runner_(runner),
        node_(node),
        moves_buffers_(moves_buffers),
        values_(runner.steps_[node].call->tensors()),
        outputs_(runner.graph_.node(node).outputs),
        whole_(values_.size()) {}

  // Which gradients are made of a tile.
  enum class Part { kAll, kActivations, kParameters };

  void set_tile(const Tile& tile) { tile_ = tile; }
  void set_part(Part part) { part_ = part; }

  at::Tensor Read(size_t input) override {
    if (IsTiled(input)) return Unpacked(input, tile_);
    // Weights are unpacked once for all tiles.
    at::Tensor& whole = whole_[input];
    if (!whole.defined()) whole = Unpacked(input, Tile{});
    return whole;
  }

  at::Tensor ReadWhole(size_t input) override { return Unpacked(input, Tile{}); }

  void Forget(size_t input) override {
    if (tile_.last()) whole_[input].reset();
  }

  void AddTo(size_t input, const at::Tensor& wide) override {
    if (IsTiled(input) && runner_.values_[values_[input]].defined()) {
      runner_.values_[values_[input]].AddTo(tile_, wide);
    } else {
      wide.add_(Read(input));
    }
  }

  std::vector<int64_t> Sizes(size_t input) override {
    const std::vector<int64_t> sizes = runner_.SizesOf(values_[input]);
    return IsTiled(input) ? TileSizes(sizes, tile_) : sizes;
  }

  at::ScalarType Type(size_t input) override {
    const planner::DType own = runner_.graph_.value(values_[input]).dtype;
    if (own != planner::DType::kFloat32) return ScalarTypeOf(own);
    // Batch norm's parameters and statistics stay in float32.
    const bool batch_norm =
        runner_.training_.rules[node_].kind == planner::GradientKind::kBatchNorm;
    return batch_norm && !IsTiled(input) ? at::kFloat : runner_.TypeOf(node_);
  }

  at::Tensor ShapeOf(size_t input, const at::Tensor& like) override {
    const std::vector<int64_t> sizes = Sizes(input);
    const int64_t elements = c10::multiply_integers(sizes);
    for (const at::Tensor& memory :
         {like, runner_.bound_[runner_.tensors_.Resolve(values_[input])]}) {
      if (!memory.defined() || !memory.is_contiguous()) continue;
      if (static_cast<int64_t>(memory.nbytes()) < elements * like.element_size()) continue;
      return memory.view({-1}).view(like.scalar_type()).narrow(0, 0, elements).view(sizes);
    }
    return like.new_zeros({1}).expand(sizes);
  }

  bool IsRead(size_t input) override {
    const std::vector<planner::ValueId>& reads = runner_.training_.rules[node_].reads;
    return std::find(reads.begin(), reads.end(), values_[input]) != reads.end();
  }

  at::Tensor ReadOutput() override {
    return runner_.values_[outputs_[0]].Unpack(tile_, runner_.TypeOf(node_));
  }

  at::Tensor ReadGradient(size_t output) override {
    if (output >= outputs_.size() || outputs_[output] == planner::kNoValue) return {};
    std::vector<PackedTensor>& parts = runner_.gradients_[outputs_[output]];
    if (parts.empty()) return {};
    // The loss is one number, however its positions are cut.
    const Tile tile = outputs_[output] == runner_.graph_.loss() ? Tile{} : tile_;
    at::Tensor sum;
    for (PackedTensor& part : parts) {
      if (!sum.defined()) {
        sum = part.Unpack(tile, runner_.TypeOf(node_));
      } else {
        if (!IsOwned(sum)) sum = sum.clone();
        part.AddTo(tile, sum);
      }
      // The last read, for a task that reads twice begins with several tiles: what is stored as
      // computed now belongs to the operator.
      if (tile_.whole()) part = {};
    }
    if (tile_.whole()) parts.clear();
    return sum;
  }

  bool Wanted(size_t input) override {
    if (!runner_.training_.needs_gradient[values_[input]]) return false;
    return part_ == Part::kAll || (part_ == Part::kActivations) == IsTiled(input);
  }

 private:
  // Whether it is cut as the node's output is: along the batch what has the samples that are cut,
  // else all v's, also through views.
  bool IsTiled(size_t input) const {
    if (tile_.axis != planner::TileAxis::kBatch) {
      return runner_.tensors_.FindProduced(values_[input]) >= 0;
    }
    const planner::Shape& shape = runner_.graph_.value(values_[input]).shape;
    return !shape.empty() && shape[0].times_batch &&
           shape[0].At(runner_.batch_size_) == tile_.extent;
  }

  at::Tensor Unpacked(size_t input, const Tile& tile) {
    const planner::ValueId value = values_[input];
    const PackedTensor& stored = runner_.values_[value];
    const at::ScalarType type = Type(input);
    if (!stored.defined()) {
      const at::Tensor& bound = runner_.bound_[value];
      MANTISSA_CHECK(bound.defined(), runner_.graph_.value(value).name, " is not there");
      const at::Tensor part = ViewOfTile(bound, tile).to(type).contiguous();
      // Statistics move once a step.
      const bool moves = runner_.graph_.value(value).kind == planner::ValueKind::kBuffer;
      return moves && !moves_buffers_ && part.is_same(bound) ? part.clone() : part;
    }
    // Of float64 an assignment keeps what fits float32.
    if (type == at::kDouble && !stored.plain()) return stored.Unpack(tile, at::kFloat).to(type);
    return stored.Unpack(tile, type);
  }

  GraphRunner& runner_;
  const planner::NodeId node_;
  const bool moves_buffers_;
  const std::vector<planner::ValueId>& values_;
  const std::vector<planner::ValueId>& outputs_;
  Tile tile_;
  Part part_ = Part::kAll;
  std::vector<at::Tensor> whole_;  // by input
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_GRAPH_RUNNER_INPUTS_H_
