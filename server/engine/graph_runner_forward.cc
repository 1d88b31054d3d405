// Forward and recompute tasks of GraphRunner.

#include <utility>

#include "ATen/ops/empty.h"
#include "planner/graph/operators.h"
#include "server/engine/graph_runner.h"
#include "server/engine/graph_runner_inputs.h"
#include "server/engine/memory_ledger.h"

namespace mantissa::engine {

using planner::kNoValue;
using planner::MemoryKind;
using planner::NodeId;
using planner::ValueId;

void GraphRunner::StoreInputs(std::vector<at::Tensor> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ValueId input = graph_.inputs()[i];
    const at::Tensor tensor = std::exchange(inputs[i], at::Tensor());
    StoreTile(input, Tile{}, tensor, /*again=*/false, &values_[input]);
    if (input == graph_.output()) ReadResult(input);
  }
}

void GraphRunner::RunForward(NodeId node, bool again) {
  Step& step = steps_[node];
  if (step.op == nullptr) return ForwardView(node);
  const std::vector<ValueId>& outputs = graph_.node(node).outputs;
  TileContext context = {.call = CallContextOf(), .keep = mode_.training && !again};
  if (context.keep) step.kept.clear();
  NodeInputs inputs(*this, node, /*moves_buffers=*/context.keep);
  std::vector<PackedTensor> stored(outputs.size());
  for (const Tile& tile : EachOf(step.tiles)) {
    context.tile = tile;
    inputs.set_tile(tile);
    Seed(node, tile);
    std::vector<at::Tensor> made = step.op->Forward(context, inputs, step.kept);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == kNoValue) continue;
      // The loss of many tiles is whole when the last is done.
      const bool is_loss = outputs[i] == graph_.loss();
      if (is_loss && !tile.last()) continue;
      if (!is_loss) CheckMade(node, i, tile, i < made.size() ? made[i] : at::Tensor());
      StoreTile(outputs[i], is_loss ? Tile{} : tile, made[i], again, &stored[i]);
      made[i].reset();
    }
  }
  for (const at::Tensor& kept : step.kept) {
    MemoryLedger::Process().Tag(kept, MemoryKind::kActivations);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] == kNoValue) continue;
    values_[outputs[i]] = std::move(stored[i]);
    ReadResult(outputs[i]);
  }
}

// Views act on codes as on any elements.
void GraphRunner::ForwardView(NodeId node) {
  const OperatorCall& call = *steps_[node].call;
  const ValueId input = call.tensors()[0], output = graph_.node(node).outputs[0];
  const PackedTensor source =
      values_[input].defined() ? values_[input] : PackedTensor::AsComputed(bound_[input]);
  values_[output] = source.WithCodes(ShownBy(node, source.codes()).contiguous());
  MemoryLedger::Process().Tag(values_[output].codes(), MemoryKind::kActivations);
  ReadResult(output);
}

at::Tensor GraphRunner::ShownBy(NodeId node, const at::Tensor& tensor) const {
  const ValueId output = graph_.node(node).outputs[0];
  if (planner::SharesItsInput(graph_, graph_.node(node))) return tensor.view(SizesOf(output));
  const at::Tensor shown = steps_[node].call->Call({tensor}, CallContextOf())[0];
  CheckSizes(output, SizesOf(output), shown);
  return shown;
}

void GraphRunner::StoreTile(ValueId output, const Tile& tile, const at::Tensor& wide, bool again,
                            PackedTensor* stored) {
  RoundingSite* const site = sites_.activation(output);
  if (output == graph_.loss()) output_.loss_unrounded = wide.to(at::kFloat).clone();
  if (site == nullptr) {
    // Stays as computed: numbers that no assignment rounds.
    if (tile.first()) {
      *stored = PackedTensor::AsComputed(tile.whole() ? wide
                                                      : at::empty(SizesOf(output), wide.options()));
    }
    if (!tile.whole()) ViewOfTile(stored->codes(), tile).copy_(wide);
  } else {
    // What is made once more was counted before.
    RoundingSite uncounted = sites_.Uncounted(*site);
    rounder_->Store(again ? uncounted : *site, tile, Roundable(wide),
                    tile.whole() ? wide.sizes().vec() : SizesOf(output), options_.storage,
                    MemoryKind::kActivations, stored);
  }
}

// Results may be released with the task that makes them.
void GraphRunner::ReadResult(ValueId output) {
  if (output == graph_.output()) output_.result = values_[output];
  if (output == graph_.loss()) {
    output_.loss = values_[output].Unpack(Tile{}, at::kFloat).clone();
  }
}

}  // namespace mantissa::engine
