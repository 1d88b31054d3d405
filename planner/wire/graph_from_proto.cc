#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "base/utf8.h"
#include "planner/wire/graph_proto.h"

namespace mantissa::planner {
namespace {

namespace wire = internal::v1;

// Most elements of a value, and the largest batch: their products stay below 2^62.
constexpr int kMaxElementBits = 62;
constexpr int kBatchBits = 20;

std::optional<DType> DTypeOf(v1::DataType type) {
  switch (type) {
    case v1::DATA_TYPE_FLOAT32:
      return DType::kFloat32;
    case v1::DATA_TYPE_FLOAT64:
      return DType::kFloat64;
    case v1::DATA_TYPE_FLOAT16:
      return DType::kFloat16;
    case v1::DATA_TYPE_BFLOAT16:
      return DType::kBFloat16;
    case v1::DATA_TYPE_INT64:
      return DType::kInt64;
    case v1::DATA_TYPE_INT32:
      return DType::kInt32;
    case v1::DATA_TYPE_UINT8:
      return DType::kUInt8;
    case v1::DATA_TYPE_BOOL:
      return DType::kBool;
    default:
      return std::nullopt;
  }
}

Dim DimOf(const wire::GraphDimension& message) {
  Dim dim(message.factor());
  dim.times_batch = message.times_batch();
  return dim;
}

Shape ShapeOf(const wire::GraphShape& message) {
  Shape shape;
  for (const wire::GraphDimension& dim : message.dimensions()) shape.push_back(DimOf(dim));
  return shape;
}

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the graph can't be used: ", where, " ", what,
                                                 ". Read the model's file again."));
}

class Reader {
 public:
  explicit Reader(const wire::Graph& message) : message_(message), graph_(message.name()) {}

  absl::StatusOr<Graph> Read() {
    for (const wire::GraphNode& node : message_.nodes()) {
      node_ = absl::StrCat("operator ", graph_.nodes().size());
      RETURN_IF_ERROR(AddNode(node));
    }
    RETURN_IF_ERROR(AddValuesUpTo(message_.values_size()));
    const int32_t output = message_.output();
    if (output < 0 || output >= message_.values_size()) return Wrong("its output", "is not there");
    graph_.SetOutput(output);
    return std::move(graph_);
  }

 private:
  int added() const { return static_cast<int>(graph_.values().size()); }

  // What is not made by operators, up to the value `end`.
  absl::Status AddValuesUpTo(int end) {
    while (added() < end) {
      if (added() >= message_.values_size()) return Wrong(node_, "makes values that are not there");
      RETURN_IF_ERROR(AddValue(message_.values(added())));
    }
    return absl::OkStatus();
  }

  absl::Status AddValue(const wire::GraphValue& value) {
    const std::string where = absl::StrCat("value ", added());
    RETURN_IF_ERROR(CheckValue(where, value));
    const DType dtype = *DTypeOf(value.data_type());
    Shape shape = ShapeOf(value.shape());
    if (value.has_alias_of() || value.has_producer()) return Wrong(where, "has no operator");
    switch (value.kind()) {
      case wire::VALUE_KIND_INPUT:
        graph_.AddInput(value.name(), dtype, std::move(shape));
        break;
      case wire::VALUE_KIND_PARAMETER: {
        if (dtype != DType::kFloat32) return Wrong(where, "is a parameter that is not float32");
        const ValueId id = graph_.AddParameter(value.name(), std::move(shape));
        if (value.frozen()) graph_.Freeze(id);
        break;
      }
      case wire::VALUE_KIND_BUFFER:
        graph_.AddBuffer(value.name(), dtype, std::move(shape));
        break;
      case wire::VALUE_KIND_CONSTANT:
        graph_.AddConstant(value.name(), dtype, std::move(shape));
        break;
      default:
        return Wrong(where, "is made by no operator");
    }
    return absl::OkStatus();
  }

  absl::Status CheckValue(const std::string& where, const wire::GraphValue& value) {
    if (value.name().empty() || !IsUtf8(value.name())) return Wrong(where, "has no name");
    if (!value_names_.insert(value.name()).second) return Wrong(where, "has a name that is taken");
    if (!DTypeOf(value.data_type()).has_value()) return Wrong(where, "has no type");
    int64_t elements = 1;
    int batch_bits = 0;
    for (const wire::GraphDimension& dim : value.shape().dimensions()) {
      if (dim.times_batch()) batch_bits += kBatchBits;
      if (dim.factor() < 0 || batch_bits >= kMaxElementBits ||
          __builtin_mul_overflow(elements, dim.factor(), &elements) ||
          elements > (int64_t{1} << (kMaxElementBits - batch_bits))) {
        return Wrong(where, "has sizes out of range");
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddNode(const wire::GraphNode& given) {
    if (given.name().empty() || !IsUtf8(given.name()) || !node_names_.insert(given.name()).second) {
      return Wrong(node_, "has no name of its own");
    }
    if (given.op().empty()) return Wrong(node_, "has no ATen operator");
    Node node{.name = given.name(), .op = given.op(), .overload = given.overload()};
    for (const int32_t output : given.outputs()) {
      if (output == kNoValue) continue;
      RETURN_IF_ERROR(AddValuesUpTo(output));
      break;
    }
    for (const wire::GraphArgument& argument : given.arguments()) {
      ASSIGN_OR_RETURN(ArgumentValue value, ArgumentOf(argument));
      node.args.push_back({argument.name(), std::move(value)});
    }
    std::vector<std::optional<Graph::Output>> outputs;
    int next = added();
    for (const int32_t output : given.outputs()) {
      if (output == kNoValue) {
        outputs.emplace_back();
        continue;
      }
      if (output != next) return Wrong(node_, "makes values out of order");
      ASSIGN_OR_RETURN(outputs.emplace_back(), OutputOf(next++));
    }
    graph_.AddNode(std::move(node), std::move(outputs));
    return CheckOutputNames(given);
  }

  absl::StatusOr<Graph::Output> OutputOf(int id) {
    const std::string where = absl::StrCat("value ", id);
    if (id >= message_.values_size()) return Wrong(where, "is not there");
    const wire::GraphValue& value = message_.values(id);
    RETURN_IF_ERROR(CheckValue(where, value));
    const bool alias_is_there =
        !value.has_alias_of() || (value.alias_of() >= 0 && value.alias_of() < added());
    if (value.kind() != wire::VALUE_KIND_COMPUTED || !alias_is_there || value.frozen() ||
        value.producer() != static_cast<int32_t>(graph_.nodes().size())) {
      return Wrong(where, "is not what its operator makes");
    }
    return Graph::Output{.dtype = *DTypeOf(value.data_type()),
                         .shape = ShapeOf(value.shape()),
                         .alias_of = value.has_alias_of() ? value.alias_of() : kNoValue};
  }

  absl::Status CheckOutputNames(const wire::GraphNode& given) const {
    for (const int32_t output : given.outputs()) {
      if (output == kNoValue) continue;
      if (graph_.value(output).name != message_.values(output).name()) {
        return Wrong(node_, "makes values of other names");
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ValueRef> RefOf(int32_t id) const {
    if (id < kNoValue || id >= added()) return Wrong(node_, "reads a value before it is made");
    return ValueRef{id};
  }

  absl::StatusOr<ArgumentValue> ArgumentOf(const wire::GraphArgument& argument) const {
    switch (argument.value_case()) {
      case wire::GraphArgument::kBoolValue:
        return argument.bool_value();
      case wire::GraphArgument::kIntValue:
        return argument.int_value();
      case wire::GraphArgument::kDoubleValue:
        return argument.double_value();
      case wire::GraphArgument::kStringValue:
        return argument.string_value();
      case wire::GraphArgument::kDataTypeValue: {
        const std::optional<DType> dtype = DTypeOf(argument.data_type_value());
        if (!dtype.has_value()) return Wrong(node_, "has an unknown type as an argument");
        return *dtype;
      }
      case wire::GraphArgument::kValueRef:
        return RefOf(argument.value_ref());
      case wire::GraphArgument::kDimensionValue:
        return DimOf(argument.dimension_value());
      case wire::GraphArgument::VALUE_NOT_SET:
        return std::monostate();
      default:
        return ListOf(argument);
    }
  }

  absl::StatusOr<ArgumentValue> ListOf(const wire::GraphArgument& argument) const {
    switch (argument.value_case()) {
      case wire::GraphArgument::kBoolList:
        return std::vector<bool>(argument.bool_list().values().begin(),
                                 argument.bool_list().values().end());
      case wire::GraphArgument::kIntList:
        return std::vector<int64_t>(argument.int_list().values().begin(),
                                    argument.int_list().values().end());
      case wire::GraphArgument::kDoubleList:
        return std::vector<double>(argument.double_list().values().begin(),
                                   argument.double_list().values().end());
      case wire::GraphArgument::kShapeValue:
        return ShapeOf(argument.shape_value());
      default:
        break;
    }
    std::vector<ValueRef> refs;
    for (const int32_t id : argument.value_ref_list().values()) {
      ASSIGN_OR_RETURN(refs.emplace_back(), RefOf(id));
    }
    return refs;
  }

  const wire::Graph& message_;
  Graph graph_;
  std::string node_;  // the operator at hand, for errors
  std::set<std::string> value_names_, node_names_;
};

}  // namespace

absl::StatusOr<Graph> GraphFromProto(const internal::v1::Graph& message) {
  return Reader(message).Read();
}

}  // namespace mantissa::planner
