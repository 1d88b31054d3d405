// How the arguments of a graph's node become those of a LibTorch operator; part of operator_call.
//
//   ArgumentCompiler compiler(call);
//   if (!compiler.Compile(index, parameter, argument.value)) return fail(...);
#ifndef MANTISSA_SERVER_ENGINE_ARGUMENT_COMPILER_H_
#define MANTISSA_SERVER_ENGINE_ARGUMENT_COMPILER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ATen/core/List.h"
#include "ATen/core/jit_type.h"
#include "server/engine/operator_call.h"

namespace mantissa::engine {

// The schema's type without its "optional".
c10::TypePtr Required(const c10::TypePtr& type);

// A number for a parameter that wants a tensor, as Python wraps it: it does not promote dtypes.
c10::IValue WrappedNumber(const c10::Scalar& scalar);

template <typename T>
c10::List<T> ListOf(const std::vector<T>& values) {
  c10::List<T> list;
  list.reserve(values.size());
  for (const T value : values) list.push_back(value);
  return list;
}

// Turns one argument after the other into the template of a call.
class ArgumentCompiler {
 public:
  explicit ArgumentCompiler(OperatorCall& call) : call_(call) {}

  // False if the value does not fit the parameter.
  bool Compile(int index, const c10::Argument& parameter, const planner::ArgumentValue& value);

 private:
  bool Set(c10::IValue value) {
    result_ = std::move(value);
    return true;
  }
  bool Convert(std::monostate) { return true; }
  bool Convert(bool value) { return IsTensor() ? Set(WrappedNumber(value)) : Set(value); }
  bool Convert(const std::string& value) { return Set(value); }
  bool Convert(planner::DType value) { return Set(static_cast<int64_t>(ScalarTypeOf(value))); }
  bool Convert(int64_t value);
  bool Convert(double value);
  bool Convert(planner::ValueRef value);
  bool Convert(const std::vector<bool>& values) { return Set(ListOf(values)); }
  bool Convert(const std::vector<double>& values) { return Set(ListOf(values)); }
  bool Convert(const std::vector<int64_t>& values);
  bool Convert(const std::vector<planner::ValueRef>& values);
  bool Convert(const planner::Dim& dim);
  bool Convert(const planner::Shape& sizes);

  bool IsTensor() const { return type_->kind() == c10::TypeKind::TensorType; }
  bool IsListOf(c10::TypeKind element) const;
  bool IsListOfTensors() const;

  OperatorCall& call_;
  // Of the argument at hand.
  int index_ = 0;
  c10::TypePtr type_;
  std::optional<int32_t> size_;
  c10::IValue result_;
};

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_ARGUMENT_COMPILER_H_
