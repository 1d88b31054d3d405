#include "planner/cost/replay.h"

#include <algorithm>
#include <variant>

#include "absl/strings/match.h"
#include "planner/graph/operators.h"

namespace mantissa::planner {
namespace {

// Attention's scores: made, softened and dropped; then what is kept of them and their gradients.
constexpr int64_t kForwardScores = 3, kBackwardScores = 4;
// Without dropout.
constexpr int64_t kForwardKept = 2, kBackwardKept = 2;

// What oneDNN's LSTM keeps for a step of a sequence, in rows of whole 16 floats: gates (four of the
// size of the state) and states.
constexpr int64_t kRowFloats = 16, kGates = 4;
constexpr double kKeptGates = 4.5;
constexpr int64_t kKeptStates = 5;
// Copies of the input and its gradient, forward and backward in time.
constexpr int64_t kTurnedInputs = 8;
// Of others, which run operator by operator, in states.
constexpr int64_t kGruStates = 9, kRnnStates = 3;

int64_t Rows(int64_t floats) { return (floats + kRowFloats - 1) / kRowFloats * kRowFloats; }

class Model {
 public:
  Model(const Graph& graph, NodeId id, const std::vector<bool>& needs_gradient, int64_t batch_size,
        const Tiles& tiles, int64_t wide)
      : graph_(graph),
        id_(id),
        node_(graph.node(id)),
        needs_gradient_(needs_gradient),
        batch_size_(batch_size),
        tiles_(tiles),
        wide_(wide) {}

  ReplayBytes Bytes() const {
    if (node_.op == "aten::scaled_dot_product_attention") return Attention();
    if (node_.op == "aten::lstm" || node_.op == "aten::gru" ||
        absl::StartsWith(node_.op, "aten::rnn_")) {
      return Recurrent();
    }
    for (const char* loss : {"aten::mse_loss", "aten::binary_cross_entropy_with_logits"}) {
      // Each element's, before the mean.
      if (node_.op == loss) return {OfTile(TensorInputs(graph_, id_)[0]), 0};
    }
    return Product();
  }

 private:
  const Shape& ShapeOf(ValueId value) const { return graph_.value(value).shape; }

  int64_t OfTile(ValueId value) const {
    return Elements(ShapeOf(value), batch_size_) / tiles_.extent * tiles_.size * wide_;
  }

  // LibTorch's own attention on the CPU keeps no scores; it has no dropout and no gradient of a
  // mask.
  ReplayBytes Attention() const {
    const ValueId query = FindValueArgument(node_, "query"), key = FindValueArgument(node_, "key");
    const ValueId mask = FindValueArgument(node_, "attn_mask");
    const bool kept = IsRandom(node_) || (mask != kNoValue && needs_gradient_[mask]);
    if (!kept || ShapeOf(query).size() < 2 || ShapeOf(key).size() < 2) return {};
    const Shape& keys = ShapeOf(key);
    const int64_t scores = OfTile(query) / ShapeOf(query).back().At(batch_size_) *
                           keys[keys.size() - 2].At(batch_size_);
    if (!IsRandom(node_)) return {kForwardKept * scores, kBackwardKept * scores};
    return {kForwardScores * scores, kBackwardScores * scores};
  }

  ReplayBytes Recurrent() const {
    const std::vector<ValueId> states = FindValueArguments(node_, "hx");
    const ValueId input = FindValueArgument(node_, "input");
    if (states.empty() || input == kNoValue) return {};
    const Shape& state = ShapeOf(states[0]);  // [layers and directions, N, size]
    const Shape& sequence = ShapeOf(input);
    if (state.size() != 3 || sequence.size() != 3) return {};
    const int64_t steps = sequence[IsTrue(node_, "batch_first") ? 1 : 0].At(batch_size_);
    const int64_t samples = state[1].At(batch_size_), size = state[2].At(batch_size_);
    const int64_t rows = state[0].At(batch_size_) * steps * samples;
    if (node_.op == "aten::gru") return {0, rows * kGruStates * size * wide_};
    if (node_.op != "aten::lstm") return {0, rows * kRnnStates * size * wide_};
    const double floats = kKeptGates * static_cast<double>(Rows(kGates * size)) +
                          static_cast<double>(kKeptStates * Rows(size));
    const int64_t turned = IsTrue(node_, "bidirectional") ? kTurnedInputs * OfTile(input) : 0;
    return {0, static_cast<int64_t>(floats * static_cast<double>(rows * wide_)) + turned};
  }

  // The gradient of a factor that was broadcast is made in the shape of the product and added up.
  ReplayBytes Product() const {
    const bool multiplies = absl::StartsWith(node_.op, "aten::mul") ||
                            absl::StartsWith(node_.op, "aten::div") || node_.op == "aten::prelu";
    if (!multiplies || node_.outputs[0] == kNoValue) return {};
    const int64_t made = Elements(ShapeOf(node_.outputs[0]), batch_size_);
    const std::vector<ValueId> inputs = TensorInputs(graph_, id_);
    const bool broadcast = std::any_of(inputs.begin(), inputs.end(), [&](ValueId input) {
      return needs_gradient_[input] && Elements(ShapeOf(input), batch_size_) < made;
    });
    return {0, broadcast ? OfTile(node_.outputs[0]) : 0};
  }

  const Graph& graph_;
  const NodeId id_;
  const Node& node_;
  const std::vector<bool>& needs_gradient_;
  const int64_t batch_size_;
  const Tiles& tiles_;
  const int64_t wide_;
};

}  // namespace

ReplayBytes ReplayBytesOf(const Graph& graph, NodeId node, const std::vector<bool>& needs_gradient,
                          int64_t batch_size, const Tiles& tiles, int64_t wide) {
  return Model(graph, node, needs_gradient, batch_size, tiles, wide).Bytes();
}

}  // namespace mantissa::planner
