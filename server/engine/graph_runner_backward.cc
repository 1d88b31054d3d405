// Backward tasks of GraphRunner.

#include <algorithm>
#include <utility>

#include "ATen/ops/empty.h"
#include "server/engine/graph_runner.h"
#include "server/engine/graph_runner_inputs.h"
#include "server/engine/memory_ledger.h"

namespace mantissa::engine {

using planner::kNoValue;
using planner::MemoryKind;
using planner::NodeId;
using planner::TileAxis;
using planner::ValueId;

namespace {

// Adds a tile's share to a parameter's gradient: a sum over samples, or the entries of the tile.
void AddShare(const Tile& tile, at::Tensor share, at::IntArrayRef sizes, at::Tensor& sum) {
  if (tile.axis == TileAxis::kBatch && sum.defined()) {
    sum.add_(share);
  } else if (tile.axis == TileAxis::kBatch || tile.whole()) {
    sum = share.to(at::kFloat).contiguous();
    share.reset();
    if (!IsOwned(sum)) sum = sum.clone();
  } else {
    if (!sum.defined()) sum = at::empty(sizes, share.options().dtype(at::kFloat));
    sum.view({-1}).narrow(0, tile.begin, tile.size()).copy_(share.reshape({-1}));
  }
}

}  // namespace

void GraphRunner::RunBackward(NodeId node) {
  const std::vector<ValueId>& outputs = graph_.node(node).outputs;
  const bool reached = std::any_of(outputs.begin(), outputs.end(), [&](ValueId output) {
    return output != kNoValue && !gradients_[output].empty();
  });
  if (reached && steps_[node].op == nullptr) BackwardView(node);
  if (reached && steps_[node].op != nullptr) BackwardTiles(node);
  for (const ValueId output : outputs) {
    if (output != kNoValue) gradients_[output].clear();
  }
  FinishParameters(node);
}

void GraphRunner::BackwardTiles(NodeId node) {
  Step& step = steps_[node];
  const std::vector<ValueId>& values = step.call->tensors();
  TileContext context = {.call = CallContextOf()};
  NodeInputs inputs(*this, node, /*moves_buffers=*/false);
  std::vector<PackedTensor> parts(values.size());  // dv
  std::vector<at::Tensor> sums(values.size());     // dtheta, and of views of theta
  const GiveGradient store = [&](size_t i, at::Tensor share) {
    if (!share.defined() || !inputs.Wanted(i)) return;
    RoundingSite* const site = sites_.gradient(node, i);
    if (site == nullptr) {
      AddShare(context.tile, std::move(share), SizesOf(values[i]), sums[i]);
    } else {
      rounder_->Store(*site, context.tile, Roundable(share), SizesOf(values[i]), options_.storage,
                      MemoryKind::kGradients, &parts[i]);
    }
  };
  const auto run = [&](const planner::Tiles& tiles, NodeInputs::Part part) {
    inputs.set_part(part);
    for (const Tile& tile : EachOf(tiles)) {
      context.tile = tile;
      inputs.set_tile(tile);
      Seed(node, tile);
      step.op->Backward(context, inputs, step.kept, store);
    }
  };
  if (step.input_gradient_tiles.size < step.tiles.size) {
    run(step.input_gradient_tiles, NodeInputs::Part::kActivations);
    run(step.tiles, NodeInputs::Part::kParameters);
  } else {
    run(step.tiles, NodeInputs::Part::kAll);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (sums[i].defined()) AddGradient(values[i], std::move(sums[i]));
    if (parts[i].defined()) gradients_[values[i]].push_back(std::move(parts[i]));
  }
}

// The gradients' codes take the input's shape again.
void GraphRunner::BackwardView(NodeId node) {
  const ValueId input = steps_[node].call->tensors()[0];
  if (!training_.needs_gradient[input]) return;
  const std::vector<int64_t> sizes = SizesOf(input);
  for (PackedTensor& part : gradients_[graph_.node(node).outputs[0]]) {
    const at::Tensor shown = part.codes();
    at::Tensor codes;
    if (ShownBy(node, at::empty(sizes, shown.options().device(at::kMeta))).is_contiguous()) {
      codes = shown.view(sizes);
    } else {
      codes = at::empty(sizes, shown.options());
      ShownBy(node, codes).copy_(shown);
      MemoryLedger::Process().Tag(codes, MemoryKind::kGradients);
    }
    if (parameter_index_[input] >= 0) {
      AddGradient(input, codes);
    } else {
      gradients_[input].push_back(part.WithCodes(codes));
    }
    part = {};
  }
}

// Adds what is not rounded, or not yet.
void GraphRunner::AddGradient(ValueId value, at::Tensor gradient) {
  const int parameter = parameter_index_[value];
  if (parameter < 0) {
    gradients_[value].push_back(PackedTensor::AsComputed(gradient));
    MemoryLedger::Process().Tag(gradients_[value].back().codes(), MemoryKind::kGradients);
    return;
  }
  at::Tensor& sum = wide_gradients_[parameter];
  if (sum.defined()) {
    sum.add_(gradient);
  } else {
    sum = std::move(gradient);
    if (!IsOwned(sum)) sum = sum.clone();
  }
}

void GraphRunner::FinishParameters(NodeId node) {
  for (const ValueId value : steps_[node].call->tensors()) {
    const int parameter = parameter_index_[value];
    if (parameter < 0 || last_gradient_[parameter] != node) continue;
    at::Tensor sum = std::exchange(wide_gradients_[parameter], at::Tensor());
    if (!sum.defined()) continue;
    RoundingSite& site = sites_.parameter_gradient(parameter);
    PackedTensor& stored = parameter_gradients_[parameter];
    rounder_->Store(site, Tile{}, sum, sum.sizes(), options_.storage, MemoryKind::kGradients,
                    &stored);
    // fp32 changes nothing, but whether all is finite decides the step.
    if (site.format == kernels::kFp32) rounder_->Count(site, stored.codes());
  }
}

}  // namespace mantissa::engine
