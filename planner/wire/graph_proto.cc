#include "planner/wire/graph_proto.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace mantissa::planner {
namespace {

namespace wire = internal::v1;

wire::ValueKind KindToProto(ValueKind kind) {
  switch (kind) {
    case ValueKind::kInput:
      return wire::VALUE_KIND_INPUT;
    case ValueKind::kTarget:
      return wire::VALUE_KIND_TARGET;
    case ValueKind::kParameter:
      return wire::VALUE_KIND_PARAMETER;
    case ValueKind::kBuffer:
      return wire::VALUE_KIND_BUFFER;
    case ValueKind::kConstant:
      return wire::VALUE_KIND_CONSTANT;
    case ValueKind::kComputed:
      return wire::VALUE_KIND_COMPUTED;
  }
  return wire::VALUE_KIND_UNSPECIFIED;
}

wire::GraphDimension DimToProto(const Dim& dim) {
  wire::GraphDimension message;
  message.set_factor(dim.factor);
  message.set_times_batch(dim.times_batch);
  return message;
}

void ShapeToProto(const Shape& shape, wire::GraphShape& message) {
  for (const Dim& dim : shape) *message.add_dimensions() = DimToProto(dim);
}

struct ArgumentWriter {
  wire::GraphArgument& message;

  void operator()(std::monostate) const {}
  void operator()(bool value) const { message.set_bool_value(value); }
  void operator()(int64_t value) const { message.set_int_value(value); }
  void operator()(double value) const { message.set_double_value(value); }
  void operator()(const std::string& value) const { message.set_string_value(value); }
  void operator()(DType value) const { message.set_data_type_value(DataTypeToProto(value)); }
  void operator()(ValueRef value) const { message.set_value_ref(value.id); }
  void operator()(const Dim& value) const {
    *message.mutable_dimension_value() = DimToProto(value);
  }
  void operator()(const std::vector<bool>& values) const {
    message.mutable_bool_list()->mutable_values()->Add(values.begin(), values.end());
  }
  void operator()(const std::vector<int64_t>& values) const {
    message.mutable_int_list()->mutable_values()->Add(values.begin(), values.end());
  }
  void operator()(const std::vector<double>& values) const {
    message.mutable_double_list()->mutable_values()->Add(values.begin(), values.end());
  }
  void operator()(const std::vector<ValueRef>& values) const {
    wire::GraphValueRefs& refs = *message.mutable_value_ref_list();
    for (const ValueRef& value : values) refs.add_values(value.id);
  }
  void operator()(const Shape& value) const { ShapeToProto(value, *message.mutable_shape_value()); }
};

}  // namespace

v1::DataType DataTypeToProto(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return v1::DATA_TYPE_FLOAT32;
    case DType::kFloat64:
      return v1::DATA_TYPE_FLOAT64;
    case DType::kFloat16:
      return v1::DATA_TYPE_FLOAT16;
    case DType::kBFloat16:
      return v1::DATA_TYPE_BFLOAT16;
    case DType::kInt64:
      return v1::DATA_TYPE_INT64;
    case DType::kInt32:
      return v1::DATA_TYPE_INT32;
    case DType::kUInt8:
      return v1::DATA_TYPE_UINT8;
    case DType::kBool:
      return v1::DATA_TYPE_BOOL;
  }
  return v1::DATA_TYPE_UNSPECIFIED;
}

internal::v1::Graph GraphToProto(const Graph& graph) {
  wire::Graph message;
  message.set_name(graph.name());
  message.set_output(graph.output());
  for (const Value& value : graph.values()) {
    wire::GraphValue& added = *message.add_values();
    added.set_name(value.name);
    added.set_kind(KindToProto(value.kind));
    added.set_data_type(DataTypeToProto(value.dtype));
    ShapeToProto(value.shape, *added.mutable_shape());
    if (value.producer != kNoNode) added.set_producer(value.producer);
    if (value.alias_of != kNoValue) added.set_alias_of(value.alias_of);
    added.set_frozen(value.frozen);
  }
  for (const Node& node : graph.nodes()) {
    wire::GraphNode& added = *message.add_nodes();
    added.set_name(node.name);
    added.set_op(node.op);
    added.set_overload(node.overload);
    for (const Argument& argument : node.args) {
      wire::GraphArgument& written = *added.add_arguments();
      written.set_name(argument.name);
      std::visit(ArgumentWriter{written}, argument.value);
    }
    added.mutable_outputs()->Add(node.outputs.begin(), node.outputs.end());
  }
  return message;
}

}  // namespace mantissa::planner
