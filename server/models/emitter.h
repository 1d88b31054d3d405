// server/models/emitter.h
//
// Appends operators to a graph in the making and remembers what the importer needs to know of each
// value: which module it came from, and whether a gradient flows through it.
//
//   Emitter emitter(graph);
//   emitter.SetPlace({.module = "layer1.0", .name = "add"});
//   ValueId sum = emitter.Emit("aten::add", "Tensor", args, dtype, shape);
//
// Not thread-safe.

#ifndef MANTISSA_SERVER_MODELS_EMITTER_H_
#define MANTISSA_SERVER_MODELS_EMITTER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"

namespace mantissa::models {

// Where an operator was called: the module's dotted path, and the name of what it makes.
struct Place {
  std::string module;
  std::string name;
};

class Emitter {
 public:
  // `graph` must outlive this.
  explicit Emitter(planner::Graph& graph) : graph_(graph) {}

  const planner::Graph& graph() const { return graph_; }
  // Of the operators that follow.
  void SetPlace(Place place) { place_ = std::move(place); }
  // By node.
  const std::vector<Place>& places() const { return places_; }

  planner::ValueId Emit(absl::string_view op, absl::string_view overload,
                        std::vector<planner::Argument> args, planner::DType dtype,
                        planner::Shape shape);
  std::vector<planner::ValueId> Emit(absl::string_view op, absl::string_view overload,
                                     std::vector<planner::Argument> args,
                                     std::vector<std::optional<planner::Graph::Output>> outputs);

  // Whether training changes what `value` depends on.
  bool CarriesGradient(planner::ValueId value) const;

 private:
  planner::Graph& graph_;
  Place place_;
  std::vector<Place> places_;
  // By node: whether a gradient reaches its inputs.
  std::vector<bool> carries_;
};

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_EMITTER_H_
