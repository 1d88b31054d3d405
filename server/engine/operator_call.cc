#include "server/engine/operator_call.h"

#include <optional>
#include <string>
#include <utility>

#include "ATen/core/List.h"
#include "ATen/core/enum_tag.h"
#include "ATen/core/jit_type.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/engine/argument_compiler.h"

namespace mantissa::engine {

using planner::DType;

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

absl::StatusOr<OperatorCall> OperatorCall::Resolve(const planner::Node& node) {
  const std::string name = absl::StrCat("node ", node.name, " (", node.op,
                                        node.overload.empty() ? "" : ".", node.overload, "): ");
  const auto fail = [&](const auto&... what) {
    return absl::InvalidArgumentError(absl::StrCat(name, what...));
  };
  const std::optional<c10::OperatorHandle> handle =
      c10::Dispatcher::singleton().findSchema({node.op, node.overload});
  if (!handle.has_value()) return fail("LibTorch has no such operator");
  OperatorCall call(*handle);
  const std::vector<c10::Argument>& parameters = handle->schema().arguments();
  call.template_.resize(parameters.size());
  std::vector<bool> given(parameters.size(), false);

  // In the node's order, so that tensors() is that of planner::TensorInputs.
  ArgumentCompiler compiler(call);
  for (const planner::Argument& argument : node.args) {
    const std::optional<int> index = handle->schema().argumentIndexWithName(argument.name);
    if (!index.has_value()) return fail("it has no argument ", argument.name);
    if (given[*index]) return fail("its argument ", argument.name, " is given twice");
    if (!compiler.Compile(*index, parameters[*index], argument.value)) {
      return fail("its argument ", argument.name, " is no ", parameters[*index].type()->str());
    }
    given[*index] = true;
  }
  RETURN_IF_ERROR(call.FillDefaults(given, name));
  call.FindSwitches();
  return call;
}

absl::Status OperatorCall::FillDefaults(const std::vector<bool>& given, absl::string_view node) {
  const std::vector<c10::Argument>& parameters = handle_.schema().arguments();
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (given[i]) continue;
    if (!parameters[i].default_value().has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat(node, "its argument ", parameters[i].name(), " is missing"));
    }
    template_[i] = *parameters[i].default_value();
  }
  return absl::OkStatus();
}

void OperatorCall::FindSwitches() {
  const std::vector<c10::Argument>& parameters = handle_.schema().arguments();
  const bool takes_statistics = handle_.schema().argumentIndexWithName("running_mean").has_value();
  for (int i = 0; i < static_cast<int>(parameters.size()); ++i) {
    const std::string& name = parameters[i].name();
    const c10::IValue& value = template_[i];
    // A norm without running statistics always takes its input's.
    const bool is_flag = (name == "training" || name == "train" || name == "use_input_stats") &&
                         (!takes_statistics || TensorIndex("running_mean") >= 0);
    if (is_flag && value.isBool() && value.toBool()) training_flags_.push_back(i);
    if (name == "dropout_p" && value.isDouble()) dropout_rates_.push_back(i);
    if (Required(parameters[i].real_type())->kind() == c10::TypeKind::DeviceObjType) {
      devices_.push_back(i);
    }
  }
}

bool OperatorCall::is_random() const { return handle_.hasTag(at::Tag::nondeterministic_seeded); }

int OperatorCall::TensorIndex(absl::string_view name) const {
  const std::optional<int> index = handle_.schema().argumentIndexWithName(std::string(name));
  int tensor = 0;
  for (const TensorArgument& argument : tensor_arguments_) {
    if (argument.argument == index) return argument.is_list ? -1 : tensor;
    for (const bool given : argument.given) tensor += given ? 1 : 0;
  }
  return -1;
}

c10::IValue OperatorCall::Argument(absl::string_view name) const {
  const std::optional<int> index = handle_.schema().argumentIndexWithName(std::string(name));
  MANTISSA_CHECK(index.has_value(), name, " is no argument");
  return template_[*index];
}

c10::IValue OperatorCall::Tensors(const TensorArgument& argument, std::vector<at::Tensor>& tensors,
                                  size_t& next) const {
  if (!argument.is_list) return std::move(tensors[next++]);
  c10::List<at::Tensor> list;
  c10::List<std::optional<at::Tensor>> optional_list;
  for (const bool given : argument.given) {
    if (!argument.is_optional_list) {
      list.push_back(std::move(tensors[next++]));
    } else if (given) {
      optional_list.push_back(std::move(tensors[next++]));
    } else {
      optional_list.push_back(std::nullopt);
    }
  }
  return argument.is_optional_list ? c10::IValue(std::move(optional_list))
                                   : c10::IValue(std::move(list));
}

std::vector<at::Tensor> OperatorCall::Call(std::vector<at::Tensor> tensors,
                                           const CallContext& context) const {
  std::vector<c10::IValue> stack = template_;
  size_t next = 0;
  for (const TensorArgument& argument : tensor_arguments_) {
    stack[argument.argument] = Tensors(argument, tensors, next);
  }
  for (const SizeArgument& argument : size_arguments_) {
    using Kind = SizeArgument::Kind;
    const std::vector<int64_t> sizes = planner::SizesAt(argument.sizes, context.batch_size);
    c10::IValue& value = stack[argument.argument];
    if (argument.kind == Kind::kList) value = ListOf(sizes);
    if (argument.kind == Kind::kNumber) value = sizes[0];
    if (argument.kind == Kind::kFloat) value = static_cast<double>(sizes[0]);
    if (argument.kind == Kind::kTensor) value = WrappedNumber(sizes[0]);
  }
  if (!context.training) {
    for (const int flag : training_flags_) stack[flag] = false;
    for (const int rate : dropout_rates_) stack[rate] = 0.0;
  }
  for (const int device : devices_) stack[device] = context.device;
  handle_.callBoxed(stack);
  std::vector<at::Tensor> results;
  for (c10::IValue& value : stack) {
    if (value.isTensorList()) {
      for (at::Tensor tensor : value.toTensorVector()) results.push_back(std::move(tensor));
    } else {
      results.push_back(value.isTensor() ? std::move(value).toTensor() : at::Tensor());
    }
  }
  return results;
}

}  // namespace mantissa::engine
