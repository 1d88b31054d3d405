#include "server/engine/argument_compiler.h"

#include <utility>
#include <variant>

#include "ATen/ScalarOps.h"

namespace mantissa::engine {

using planner::ArgumentValue;
using planner::ValueRef;

c10::TypePtr Required(const c10::TypePtr& type) {
  if (const auto optional = type->cast<c10::OptionalType>()) return optional->getElementType();
  return type;
}

c10::IValue WrappedNumber(const c10::Scalar& scalar) {
  at::Tensor tensor = c10::scalar_to_tensor(scalar);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

bool ArgumentCompiler::IsListOf(c10::TypeKind element) const {
  const auto list = type_->cast<c10::ListType>();
  return list != nullptr && list->getElementType()->kind() == element;
}

bool ArgumentCompiler::IsListOfTensors() const {
  const auto list = type_->cast<c10::ListType>();
  return list != nullptr && Required(list->getElementType())->kind() == c10::TypeKind::TensorType;
}

bool ArgumentCompiler::Compile(int index, const c10::Argument& parameter,
                               const ArgumentValue& value) {
  // What is not the graph's to say keeps its default, or is filled in by each call.
  const c10::TypeKind real = Required(parameter.real_type())->kind();
  if (real == c10::TypeKind::DeviceObjType || real == c10::TypeKind::LayoutType ||
      real == c10::TypeKind::MemoryFormatType) {
    if (parameter.default_value().has_value()) {
      call_.template_[index] = *parameter.default_value();
    }
    return true;
  }
  index_ = index;
  type_ = Required(parameter.type());
  size_ = parameter.N();
  result_ = c10::IValue();
  if (!std::visit([this](const auto& v) { return Convert(v); }, value)) return false;
  call_.template_[index] = result_;
  if (std::holds_alternative<std::monostate>(value)) {
    return parameter.type()->kind() == c10::TypeKind::OptionalType;
  }
  // Tensors and sizes are filled in by each call.
  if (result_.isNone()) return true;
  if (result_.isBool() && type_->kind() == c10::TypeKind::NumberType) return true;
  return result_.type<c10::Type>()->isSubtypeOf(*type_);
}

bool ArgumentCompiler::Convert(int64_t value) {
  if (IsTensor()) return Set(WrappedNumber(value));
  if (type_->kind() == c10::TypeKind::FloatType) return Set(static_cast<double>(value));
  if (IsListOf(c10::TypeKind::IntType)) {
    return Set(ListOf(std::vector<int64_t>(size_.value_or(1), value)));
  }
  return Set(value);
}

bool ArgumentCompiler::Convert(double value) {
  if (IsTensor()) return Set(WrappedNumber(value));
  if (IsListOf(c10::TypeKind::FloatType)) {
    return Set(ListOf(std::vector<double>(size_.value_or(1), value)));
  }
  return Set(value);
}

bool ArgumentCompiler::Convert(ValueRef value) {
  if (value.id == planner::kNoValue) return true;
  call_.tensors_.push_back(value.id);
  call_.tensor_arguments_.push_back({.argument = index_});
  return IsTensor();
}

bool ArgumentCompiler::Convert(const std::vector<int64_t>& values) {
  if (values.empty() && IsListOfTensors()) return Convert(std::vector<ValueRef>());
  if (IsListOf(c10::TypeKind::FloatType)) {
    return Set(ListOf(std::vector<double>(values.begin(), values.end())));
  }
  return Set(ListOf(values));
}

bool ArgumentCompiler::Convert(const std::vector<ValueRef>& values) {
  if (!IsListOfTensors()) return false;
  const bool is_optional =
      type_->cast<c10::ListType>()->getElementType()->kind() == c10::TypeKind::OptionalType;
  OperatorCall::TensorArgument argument = {
      .argument = index_, .given = {}, .is_list = true, .is_optional_list = is_optional};
  for (const ValueRef value : values) {
    argument.given.push_back(value.id != planner::kNoValue);
    if (argument.given.back()) call_.tensors_.push_back(value.id);
    if (!argument.given.back() && !is_optional) return false;
  }
  call_.tensor_arguments_.push_back(std::move(argument));
  return true;
}

bool ArgumentCompiler::Convert(const planner::Dim& dim) {
  if (!dim.times_batch) return Convert(dim.factor);
  using Kind = OperatorCall::SizeArgument::Kind;
  OperatorCall::SizeArgument argument = {.argument = index_, .sizes = {dim}};
  switch (type_->kind()) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::NumberType:
      break;
    case c10::TypeKind::FloatType:
      argument.kind = Kind::kFloat;
      break;
    case c10::TypeKind::TensorType:
      argument.kind = Kind::kTensor;
      break;
    default:
      if (!IsListOf(c10::TypeKind::IntType)) return false;
      argument.kind = Kind::kList;
      argument.sizes = planner::Shape(size_.value_or(1), dim);
  }
  call_.size_arguments_.push_back(std::move(argument));
  return true;
}

bool ArgumentCompiler::Convert(const planner::Shape& sizes) {
  call_.size_arguments_.push_back(
      {.argument = index_, .sizes = sizes, .kind = OperatorCall::SizeArgument::Kind::kList});
  return IsListOf(c10::TypeKind::IntType);
}

}  // namespace mantissa::engine
