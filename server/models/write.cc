#include "server/models/write.h"

#include <variant>

#include "planner/graph/operators.h"

namespace mantissa::models {
namespace {

using planner::Argument;
using planner::ArgumentValue;
using planner::DType;
using planner::Graph;
using planner::kNoValue;
using planner::Shape;
using planner::Value;
using planner::ValueId;
using planner::ValueRef;

// The type of a result of these arguments that is not cut to the first one's.
DType ComputedType(const Call& call, DType self, const Graph& graph) {
  DType widest = self;
  for (const Argument& argument : call.args) {
    const auto* ref = std::get_if<ValueRef>(&argument.value);
    if (ref == nullptr || ref->id == kNoValue) continue;
    const Value& value = graph.value(ref->id);
    const bool is_wider = value.dtype == DType::kFloat64 ||
                          (value.dtype == DType::kFloat32 && self != DType::kFloat64);
    if (!value.shape.empty() && is_wider && planner::IsFloatingPoint(self)) widest = value.dtype;
  }
  return widest;
}

ValueId Convert(ValueId value, DType dtype, Emitter& emitter) {
  return emitter.Emit("aten::to", "dtype", {{"self", ValueRef{value}}, {"dtype", dtype}}, dtype,
                      emitter.graph().value(value).shape);
}

// What aten::copy_ writes: its source in the shape and type of its target.
absl::StatusOr<ValueId> Source(Call& call, const Value& target, Emitter& emitter) {
  const ArgumentValue* argument = FindArgument(call, "src");
  const auto* ref = argument == nullptr ? nullptr : std::get_if<ValueRef>(argument);
  if (ref == nullptr || ref->id == kNoValue) return call.Error("has no tensor \"src\".");
  ValueId value = ref->id;
  if (emitter.graph().value(value).shape != target.shape) {
    value = emitter.Emit("aten::expand", "",
                         {{"self", ValueRef{value}}, {"size", SizesArgument(target.shape)}},
                         emitter.graph().value(value).dtype, target.shape);
  }
  if (emitter.graph().value(value).dtype != target.dtype) {
    value = Convert(value, target.dtype, emitter);
  }
  return value;
}

}  // namespace

absl::StatusOr<ValueId> ValueToWrite(Call& call, const Value& target, Emitter& emitter) {
  if (call.op == "aten::copy") return Source(call, target, emitter);
  const DType computed = ComputedType(call, target.dtype, emitter.graph());
  const ValueId value = emitter.Emit(call.op, call.overload, call.args, computed, target.shape);
  return computed == target.dtype ? value : Convert(value, target.dtype, emitter);
}

}  // namespace mantissa::models
