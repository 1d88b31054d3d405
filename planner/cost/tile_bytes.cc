#include "planner/cost/tile_bytes.h"

#include <algorithm>
#include <vector>

namespace mantissa::planner {

TileBytes TileBytesOf(const Graph& graph, const TensorTable& tensors, const Schedule& schedule,
                      NodeId node, const Tiles& tiles, int64_t batch_size, int64_t wide) {
  TileBytes bytes;
  const std::vector<ValueId>& reads = schedule.rules[node].reads;
  const auto elements = [&](ValueId value) {
    return Elements(graph.value(value).shape, batch_size) / tiles.extent * tiles.size;
  };
  for (const ValueId input : TensorInputs(graph, node)) {
    if (tensors.FindProduced(input) < 0) continue;
    const int64_t size = elements(input) * wide;
    bytes.inputs += size;
    bytes.largest_input = std::max(bytes.largest_input, size);
    if (std::find(reads.begin(), reads.end(), input) != reads.end()) bytes.read += size;
    if (schedule.needs_gradient[input]) bytes.wanted += size;
  }
  for (const ValueId output : graph.node(node).outputs) {
    if (output != kNoValue) bytes.output_elements += elements(output);
  }
  bytes.output = bytes.output_elements * wide;
  if (schedule.rules[node].kind == GradientKind::kReplay) {
    bytes.replay = ReplayBytesOf(graph, node, schedule.needs_gradient, batch_size, tiles, wide);
  }
  bytes.samples = tiles.axis == TileAxis::kBatch ? tiles.size : batch_size;
  return bytes;
}

}  // namespace mantissa::planner
