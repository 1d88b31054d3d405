#include "server/models/emitter.h"

#include <algorithm>
#include <utility>

#include "planner/graph/operator_table.h"
#include "planner/graph/operators.h"

namespace mantissa::models {
namespace {

using planner::Argument;
using planner::DType;
using planner::Graph;
using planner::NodeId;
using planner::Shape;
using planner::Value;
using planner::ValueId;
using planner::ValueKind;

}  // namespace

ValueId Emitter::Emit(absl::string_view op, absl::string_view overload, std::vector<Argument> args,
                      DType dtype, Shape shape) {
  return Emit(op, overload, std::move(args),
              {Graph::Output{.dtype = dtype, .shape = std::move(shape)}})[0];
}

std::vector<ValueId> Emitter::Emit(absl::string_view op, absl::string_view overload,
                                   std::vector<Argument> args,
                                   std::vector<std::optional<Graph::Output>> outputs) {
  const auto node = static_cast<NodeId>(graph_.nodes().size());
  planner::Node call{.name = place_.name,
                     .op = std::string(op),
                     .overload = std::string(overload),
                     .args = std::move(args)};
  const ValueId self = planner::FindValueArgument(call, "self");
  if (planner::IsViewOperator(op) && outputs.size() == 1 && outputs[0].has_value())
    outputs[0]->alias_of = self;
  std::vector<ValueId> values = graph_.AddNode(std::move(call), std::move(outputs));
  places_.push_back(place_);
  const std::vector<ValueId> inputs = planner::TensorInputs(graph_, node);
  carries_.push_back(op != "aten::detach" &&
                     std::any_of(inputs.begin(), inputs.end(),
                                 [this](ValueId input) { return CarriesGradient(input); }));
  return values;
}

bool Emitter::CarriesGradient(ValueId id) const {
  const Value& value = graph_.value(id);
  if (!planner::IsFloatingPoint(value.dtype)) return false;
  if (value.kind == ValueKind::kParameter) return !value.frozen;
  return value.kind == ValueKind::kComputed && carries_[value.producer];
}

}  // namespace mantissa::models
