#include "server/engine/operator_call.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "ATen/ScalarOps.h"
#include "ATen/core/List.h"
#include "ATen/core/jit_type.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace mantissa::engine {

using planner::ArgumentValue;
using planner::DType;
using planner::ValueId;
using planner::ValueRef;

namespace {

at::ScalarType ScalarTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return at::kFloat;
    case DType::kFloat64:
      return at::kDouble;
    case DType::kFloat16:
      return at::kHalf;
    case DType::kBFloat16:
      return at::kBFloat16;
    case DType::kInt64:
      return at::kLong;
    case DType::kInt32:
      return at::kInt;
    case DType::kUInt8:
      return at::kByte;
    case DType::kBool:
      return at::kBool;
  }
  return at::kFloat;
}

// The schema's type without its "optional".
c10::TypePtr Required(const c10::TypePtr& type) {
  if (const auto optional = type->cast<c10::OptionalType>()) return optional->getElementType();
  return type;
}

bool IsListOf(const c10::TypePtr& type, c10::TypeKind element) {
  const auto list = type->cast<c10::ListType>();
  return list != nullptr && list->getElementType()->kind() == element;
}

// A number for a parameter that wants a tensor, as Python wraps it: it does not promote dtypes.
c10::IValue WrappedNumber(const c10::Scalar& scalar) {
  at::Tensor tensor = c10::scalar_to_tensor(scalar);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

template <typename T>
c10::List<T> ListOf(const std::vector<T>& values) {
  c10::List<T> list;
  list.reserve(values.size());
  for (const T value : values) list.push_back(value);
  return list;
}

}  // namespace

// Turns one argument after the other into the template of a call.
class ArgumentCompiler {
 public:
  ArgumentCompiler(const planner::Graph& graph, OperatorCall& call) : graph_(graph), call_(call) {}

  // False if the value does not fit the parameter.
  bool Compile(int index, const c10::Argument& parameter, const ArgumentValue& value) {
    index_ = index;
    type_ = Required(parameter.type());
    size_ = parameter.N();
    result_ = c10::IValue();
    const bool fits = std::visit([this](const auto& v) { return Convert(v); }, value);
    call_.template_[index] = result_;
    return fits;
  }

 private:
  bool Set(c10::IValue value) {
    result_ = std::move(value);
    return true;
  }

  bool Convert(std::monostate) { return true; }
  bool Convert(bool value) { return Set(value); }
  bool Convert(const std::string& value) { return Set(value); }
  bool Convert(DType value) { return Set(static_cast<int64_t>(ScalarTypeOf(value))); }

  bool Convert(int64_t value) {
    if (type_->kind() == c10::TypeKind::TensorType) return Set(WrappedNumber(value));
    if (type_->kind() == c10::TypeKind::FloatType) return Set(static_cast<double>(value));
    if (IsIntList()) return Set(c10::List<int64_t>(ListOf(Repeated(value))));
    return Set(value);
  }

  bool Convert(double value) {
    if (type_->kind() == c10::TypeKind::TensorType) return Set(WrappedNumber(value));
    if (IsListOf(type_, c10::TypeKind::FloatType)) {
      return Set(ListOf(std::vector<double>(size_.value_or(1), value)));
    }
    return Set(value);
  }

  bool Convert(ValueRef value) {
    call_.tensors_.push_back(value.id);
    call_.tensor_arguments_.push_back({.argument = index_});
    return type_->kind() == c10::TypeKind::TensorType;
  }

  bool Convert(const std::vector<bool>& values) { return Set(ListOf(values)); }
  bool Convert(const std::vector<double>& values) { return Set(ListOf(values)); }
  bool Convert(const std::vector<int64_t>& values) {
    if (IsListOf(type_, c10::TypeKind::FloatType)) {
      return Set(ListOf(std::vector<double>(values.begin(), values.end())));
    }
    return IsIntList() && Set(ListOf(values));
  }

  bool Convert(const std::vector<ValueRef>& values) {
    const auto list = type_->cast<c10::ListType>();
    if (list == nullptr) return false;
    for (const ValueRef value : values) call_.tensors_.push_back(value.id);
    call_.tensor_arguments_.push_back(
        {.argument = index_,
         .size = static_cast<int>(values.size()),
         .is_list = true,
         .is_optional_list = list->getElementType()->kind() == c10::TypeKind::OptionalType});
    return true;
  }

  bool Convert(const planner::Dim&) { return false; }
  bool Convert(const planner::Shape&) { return false; }

  bool IsIntList() const {
    return IsListOf(type_, c10::TypeKind::IntType) || IsListOf(type_, c10::TypeKind::SymIntType);
  }
  std::vector<int64_t> Repeated(int64_t value) const {
    return std::vector<int64_t>(size_.value_or(1), value);
  }

  const planner::Graph& graph_;
  OperatorCall& call_;
  int index_ = 0;
  c10::TypePtr type_;
  std::optional<int32_t> size_;
  c10::IValue result_;
};

absl::StatusOr<OperatorCall> OperatorCall::Resolve(const planner::Graph& graph,
                                                   const planner::Node& node) {
  const auto fail = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("node ", node.name, " (", node.op,
                                                   node.overload.empty() ? "" : ".", node.overload,
                                                   "): ", what));
  };
  const std::optional<c10::OperatorHandle> handle =
      c10::Dispatcher::singleton().findSchema({node.op, node.overload});
  if (!handle.has_value()) return fail("LibTorch has no such operator");
  OperatorCall call(*handle);
  const std::vector<c10::Argument>& parameters = handle->schema().arguments();
  call.template_.resize(parameters.size());
  std::vector<bool> given(parameters.size(), false);

  // In the node's order, so that tensors() is that of planner::TensorInputs.
  ArgumentCompiler compiler(graph, call);
  for (const planner::Argument& argument : node.args) {
    const std::optional<int> index = handle->schema().argumentIndexWithName(argument.name);
    if (!index.has_value()) return fail(absl::StrCat("it has no argument ", argument.name));
    if (!compiler.Compile(*index, parameters[*index], argument.value)) {
      return fail(absl::StrCat("its argument ", argument.name, " is no ",
                               parameters[*index].type()->str()));
    }
    given[*index] = true;
    const bool is_flag = std::holds_alternative<bool>(argument.value);
    if (is_flag && (argument.name == "training" || argument.name == "train")) {
      call.training_argument_ = *index;
    }
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (given[i]) continue;
    if (parameters[i].default_value().has_value()) {
      call.template_[i] = *parameters[i].default_value();
    } else {
      return fail(absl::StrCat("its argument ", parameters[i].name(), " is missing"));
    }
  }
  return call;
}

int OperatorCall::TensorIndex(absl::string_view name) const {
  const std::optional<int> index = handle_.schema().argumentIndexWithName(std::string(name));
  int tensor = 0;
  for (const TensorArgument& argument : tensor_arguments_) {
    if (argument.argument == index) return argument.is_list ? -1 : tensor;
    tensor += argument.size;
  }
  return -1;
}

c10::IValue OperatorCall::Argument(absl::string_view name) const {
  const std::optional<int> index = handle_.schema().argumentIndexWithName(std::string(name));
  MANTISSA_CHECK(index.has_value(), name, " is no argument");
  return template_[*index];
}

std::vector<c10::IValue> OperatorCall::Arguments(std::vector<c10::IValue> tensors,
                                                 bool training) const {
  std::vector<c10::IValue> stack = template_;
  size_t next = 0;
  for (const TensorArgument& argument : tensor_arguments_) {
    if (!argument.is_list) {
      stack[argument.argument] = std::move(tensors[next++]);
      continue;
    }
    if (argument.is_optional_list) {
      c10::List<std::optional<at::Tensor>> list;
      for (int i = 0; i < argument.size; ++i) list.push_back(tensors[next++].toTensor());
      stack[argument.argument] = std::move(list);
    } else {
      c10::List<at::Tensor> list;
      for (int i = 0; i < argument.size; ++i) list.push_back(tensors[next++].toTensor());
      stack[argument.argument] = std::move(list);
    }
  }
  if (training_argument_ >= 0) stack[training_argument_] = training;
  return stack;
}

}  // namespace mantissa::engine
