#include "server/models/finish.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "planner/graph/operators.h"

namespace mantissa::models {
namespace {

using planner::Argument;
using planner::ArgumentValue;
using planner::Graph;
using planner::kNoValue;
using planner::Node;
using planner::NodeId;
using planner::Value;
using planner::ValueId;
using planner::ValueKind;
using planner::ValueRef;

constexpr size_t kMaxNameBytes = 256;

// A name for people: letters, digits and "._-" only.
std::string Plain(absl::string_view name) {
  std::string plain(name.substr(0, kMaxNameBytes));
  for (char& c : plain) {
    if (!absl::ascii_isalnum(c) && c != '.' && c != '_' && c != '-') c = '_';
  }
  return plain;
}

class Finisher {
 public:
  Finisher(const Graph& draft, absl::Span<const Place> places)
      : draft_(draft),
        places_(places),
        reads_(draft.values().size(), false),
        new_ids_(draft.values().size(), kNoValue) {}

  absl::StatusOr<Finished> Finish() {
    if (draft_.value(draft_.output()).producer == planner::kNoNode) {
      return absl::InvalidArgumentError(
          "the model returns one of its inputs or parameters. Export a model that computes.");
    }
    MarkReads();
    CountModules();
    Finished finished{.graph = Graph(draft_.name())};
    AddLeaves(finished);
    for (size_t i = 0; i < draft_.nodes().size(); ++i) {
      if (IsNeeded(draft_.nodes()[i])) AddNode(static_cast<NodeId>(i), finished.graph);
    }
    finished.graph.SetOutput(new_ids_[draft_.output()]);
    return finished;
  }

 private:
  bool IsNeeded(const Node& node) const {
    return std::any_of(node.outputs.begin(), node.outputs.end(),
                       [this](ValueId id) { return id != kNoValue && reads_[id]; });
  }

  // From the output to what it depends on, and then from batch norms beside it, whose statistics
  // move all the same.
  void MarkReads() {
    reads_[draft_.output()] = true;
    MarkUpwards();
    trained_ = reads_;
    for (const Node& node : draft_.nodes()) {
      if (KeepsStatistics(node)) reads_[node.outputs[0]] = true;
    }
    MarkUpwards();
  }

  static bool KeepsStatistics(const Node& node) {
    return node.op == "aten::batch_norm" && node.outputs.size() == 1 &&
           planner::IsTrue(node, "training") &&
           planner::FindValueArgument(node, "running_mean") != kNoValue;
  }

  void MarkUpwards() {
    for (size_t i = draft_.nodes().size(); i-- > 0;) {
      if (!IsNeeded(draft_.nodes()[i])) continue;
      for (const ValueId id : planner::TensorInputs(draft_, static_cast<NodeId>(i))) {
        reads_[id] = true;
      }
    }
  }

  void CountModules() {
    for (size_t i = 0; i < draft_.nodes().size(); ++i) {
      if (IsNeeded(draft_.nodes()[i])) ++operators_of_[places_[i].module];
    }
  }

  std::string Unique(std::string name) {
    std::string unique = name;
    for (int i = 2; !names_.insert(unique).second; ++i) unique = absl::StrCat(name, "_", i);
    return unique;
  }

  void AddLeaves(Finished& finished) {
    // State dict names are not ours to change, so they come first.
    for (const ValueId id : draft_.parameters()) names_.insert(draft_.value(id).name);
    for (const ValueId id : draft_.buffers()) names_.insert(draft_.value(id).name);
    Graph& graph = finished.graph;
    for (const ValueId id : draft_.inputs()) {
      const Value& value = draft_.value(id);
      new_ids_[id] = graph.AddInput(Unique(Plain(value.name)), value.dtype, value.shape);
    }
    for (const ValueId id : draft_.parameters()) {
      const Value& value = draft_.value(id);
      if (!reads_[id]) continue;
      new_ids_[id] = graph.AddParameter(value.name, value.shape);
      if (value.frozen || !trained_[id]) graph.Freeze(new_ids_[id]);
      finished.parameters.push_back(id);
    }
    for (const ValueId id : draft_.buffers()) {
      const Value& value = draft_.value(id);
      new_ids_[id] = graph.AddBuffer(value.name, value.dtype, value.shape);
      finished.buffers.push_back(id);
    }
    for (const ValueId id : draft_.constants()) {
      const Value& value = draft_.value(id);
      if (!reads_[id]) continue;
      new_ids_[id] = graph.AddConstant(Unique(Plain(value.name)), value.dtype, value.shape);
      finished.constants.push_back(id);
    }
  }

  std::string NameOf(NodeId node) {
    const Place& place = places_[node];
    const std::string module = Plain(place.module), name = Plain(place.name);
    if (module.empty()) return Unique(name);
    return Unique(operators_of_[place.module] == 1 ? module : absl::StrCat(module, ".", name));
  }

  void AddNode(NodeId id, Graph& graph) {
    Node node = draft_.node(id);
    node.name = NameOf(id);
    for (Argument& argument : node.args) Renumber(argument.value);
    std::vector<std::optional<Graph::Output>> outputs;
    for (const ValueId old : node.outputs) {
      if (old == kNoValue || !reads_[old]) {
        outputs.push_back(std::nullopt);
        continue;
      }
      const Value& value = draft_.value(old);
      outputs.push_back(Graph::Output{
          .dtype = value.dtype,
          .shape = value.shape,
          .alias_of = value.alias_of == kNoValue ? kNoValue : new_ids_[value.alias_of]});
    }
    const std::vector<ValueId> old_ids = node.outputs;
    const std::vector<ValueId> made = graph.AddNode(std::move(node), std::move(outputs));
    for (size_t i = 0; i < made.size(); ++i) {
      if (old_ids[i] != kNoValue) new_ids_[old_ids[i]] = made[i];
    }
  }

  void Renumber(ArgumentValue& value) const {
    const auto renumber = [this](ValueRef& ref) {
      if (ref.id != kNoValue) ref.id = new_ids_[ref.id];
    };
    if (auto* ref = std::get_if<ValueRef>(&value)) renumber(*ref);
    if (auto* refs = std::get_if<std::vector<ValueRef>>(&value)) {
      for (ValueRef& ref : *refs) renumber(ref);
    }
  }

  const Graph& draft_;
  const absl::Span<const Place> places_;
  // By value of the draft.
  std::vector<bool> reads_;
  // Whether the output depends on it.
  std::vector<bool> trained_;
  std::vector<ValueId> new_ids_;
  absl::flat_hash_map<std::string, int> operators_of_;
  absl::flat_hash_set<std::string> names_;
};

}  // namespace

absl::StatusOr<Finished> Finish(const Graph& draft, absl::Span<const Place> places) {
  return Finisher(draft, places).Finish();
}

}  // namespace mantissa::models
