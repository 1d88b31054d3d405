// Forward and recompute tasks of GraphRunner.

#include <utility>

#include "server/engine/graph_runner.h"
#include "server/engine/graph_runner_inputs.h"
#include "server/engine/memory_ledger.h"

namespace mantissa::engine {

using planner::kNoValue;
using planner::MemoryKind;
using planner::NodeId;
using planner::ValueId;

void GraphRunner::StoreInput(const at::Tensor& images) {
  const ValueId input = graph_.inputs()[0];
  StoreTile(input, Tile{}, images, /*again=*/false, &values_[input]);
}

void GraphRunner::RunForward(NodeId node, bool again) {
  Step& step = steps_[node];
  if (step.op == nullptr) return ForwardView(node);
  const std::vector<ValueId>& outputs = graph_.node(node).outputs;
  TileContext context = {.training = mode_.training, .keep = mode_.training && !again};
  if (context.keep) step.kept.clear();
  NodeInputs inputs(*this, node);
  std::vector<PackedTensor> stored(outputs.size());
  for (const Tile& tile : EachOf(step.tiles)) {
    context.tile = tile;
    inputs.set_tile(tile);
    std::vector<at::Tensor> made = step.op->Forward(context, inputs, step.kept);
    for (size_t i = 0; i < outputs.size() && i < made.size(); ++i) {
      if (outputs[i] == kNoValue || !made[i].defined()) continue;
      StoreTile(outputs[i], tile, made[i], again, &stored[i]);
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
  std::vector<c10::IValue> stack = call.Arguments({source.codes()}, mode_.training);
  call.handle().callBoxed(stack);
  values_[output] = source.WithCodes(stack[0].toTensor().contiguous());
  MemoryLedger::Process().Tag(values_[output].codes(), MemoryKind::kActivations);
  ReadResult(output);
}

void GraphRunner::StoreTile(ValueId output, const Tile& tile, const at::Tensor& wide, bool again,
                            PackedTensor* stored) {
  RoundingSite* const site = sites_.activation(output);
  if (output == graph_.loss()) output_.loss_unrounded = wide.to(at::kFloat).clone();
  if (site == nullptr) {
    *stored = PackedTensor::AsComputed(wide);
  } else {
    // What is made once more was counted before.
    RoundingSite uncounted = sites_.Uncounted(*site);
    rounder_->Store(again ? uncounted : *site, tile, wide,
                    tile.whole() ? wide.sizes().vec() : SizesOf(output), options_.storage,
                    MemoryKind::kActivations, stored);
  }
}

// Results may be released with the task that makes them.
void GraphRunner::ReadResult(ValueId output) {
  if (output == graph_.output()) {
    output_.logits = values_[output].Unpack(Tile{}, at::kFloat);
  }
  if (output == graph_.loss()) {
    output_.loss = values_[output].Unpack(Tile{}, at::kFloat).clone();
  }
}

}  // namespace mantissa::engine
