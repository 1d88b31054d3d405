#include "server/models/rewrite.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mantissa::models {
namespace {

using planner::Argument;
using planner::ArgumentValue;
using planner::Dim;
using planner::ValueRef;

struct ViewRow {
  absl::string_view op;
  ResultKind result;
  ViewKind view = ViewKind::kOther;
};

// Operators whose results share memory with their input, by PyTorch's documentation of views.
constexpr ViewRow kViews[] = {
    {"aten::reshape", ResultKind::kView, ViewKind::kReshape},
    {"aten::flatten", ResultKind::kView, ViewKind::kReshape},
    {"aten::unflatten", ResultKind::kView, ViewKind::kReshape},
    {"aten::ravel", ResultKind::kView, ViewKind::kReshape},
    {"aten::squeeze", ResultKind::kView, ViewKind::kReshape},
    {"aten::unsqueeze", ResultKind::kView, ViewKind::kReshape},
    {"aten::permute", ResultKind::kView, ViewKind::kPermute},
    {"aten::transpose", ResultKind::kView, ViewKind::kTranspose},
    {"aten::swapaxes", ResultKind::kView, ViewKind::kTranspose},
    {"aten::swapdims", ResultKind::kView, ViewKind::kTranspose},
    {"aten::t", ResultKind::kView, ViewKind::kTranspose},
    {"aten::numpy_T", ResultKind::kView, ViewKind::kTranspose},
    {"aten::mT", ResultKind::kView, ViewKind::kTranspose},
    {"aten::movedim", ResultKind::kView},
    {"aten::moveaxis", ResultKind::kView},
    {"aten::slice", ResultKind::kView, ViewKind::kSlice},
    {"aten::select", ResultKind::kView, ViewKind::kSelect},
    {"aten::narrow", ResultKind::kView},
    {"aten::expand", ResultKind::kView},
    {"aten::diagonal", ResultKind::kView},
    {"aten::unfold", ResultKind::kView},
    {"aten::as_strided", ResultKind::kView},
    {"aten::split", ResultKind::kParts},
    {"aten::split_with_sizes", ResultKind::kParts},
    {"aten::chunk", ResultKind::kParts},
    {"aten::tensor_split", ResultKind::kParts},
    {"aten::unbind", ResultKind::kParts},
    {"aten::alias", ResultKind::kSame},
    {"aten::lift_fresh", ResultKind::kSame},
    {"aten::lift", ResultKind::kSame},
    {"aten::resolve_conj", ResultKind::kSame},
    {"aten::resolve_neg", ResultKind::kSame},
    {"aten::clone", ResultKind::kCopy},
    {"aten::lift_fresh_copy", ResultKind::kCopy},
};

// Operators that make a tensor as large as another one, and those that take the size.
struct FactoryRow {
  absl::string_view op;
  absl::string_view factory;
};
// What is empty is filled with zeros, so that a run can be repeated.
constexpr FactoryRow kFactories[] = {
    {"aten::zeros_like", "aten::zeros"}, {"aten::new_zeros", "aten::zeros"},
    {"aten::ones_like", "aten::ones"},   {"aten::new_ones", "aten::ones"},
    {"aten::empty_like", "aten::zeros"}, {"aten::new_empty", "aten::zeros"},
    {"aten::empty", "aten::zeros"},      {"aten::empty_strided", "aten::zeros"},
    {"aten::rand_like", "aten::rand"},   {"aten::randn_like", "aten::randn"},
    {"aten::full_like", "aten::full"},   {"aten::new_full", "aten::full"},
    {"aten::zeros", "aten::zeros"},      {"aten::ones", "aten::ones"},
    {"aten::full", "aten::full"},        {"aten::rand", "aten::rand"},
    {"aten::randn", "aten::randn"},
};

constexpr absl::string_view kReshapes[] = {"aten::view", "aten::_unsafe_view", "aten::view_as",
                                           "aten::reshape_as", "aten::reshape"};
constexpr absl::string_view kExpands[] = {"aten::expand", "aten::expand_as", "aten::broadcast_to"};
constexpr absl::string_view kConversions[] = {"aten::to", "aten::_to_copy", "aten::type_as"};
constexpr absl::string_view kDropouts[] = {"aten::dropout", "aten::feature_dropout",
                                           "aten::alpha_dropout", "aten::feature_alpha_dropout"};
// They change what a tensor is, not its values.
constexpr absl::string_view kReshapesInPlace[] = {
    "aten::squeeze_",  "aten::unsqueeze_",  "aten::transpose_", "aten::t_",
    "aten::swapaxes_", "aten::swapdims_",   "aten::resize_",    "aten::resize_as_",
    "aten::set_",      "aten::as_strided_", "aten::detach_",    "aten::requires_grad_"};

template <typename List>
bool IsIn(absl::string_view op, const List& list) {
  return std::find(std::begin(list), std::end(list), op) != std::end(list);
}

// Replaces all arguments but the first tensor.
void KeepSelfAnd(Call& call, std::vector<Argument> args) {
  const ArgumentValue* self = FindArgument(call, "self");
  std::vector<Argument> all;
  if (self != nullptr) all.push_back({"self", *self});
  for (Argument& argument : args) all.push_back(std::move(argument));
  call.args = std::move(all);
}

bool AsksForCopy(Call& call) {
  const ArgumentValue* copy = FindArgument(call, "copy");
  return call.op == "aten::_to_copy" || (copy != nullptr && *copy == ArgumentValue(true));
}

Result RewriteConversion(Call& call, const CallOutput& output) {
  if (output.dtype == call.self_dtype) {
    return {AsksForCopy(call) ? ResultKind::kCopy : ResultKind::kSame};
  }
  call.op = "aten::to";
  call.overload = "dtype";
  KeepSelfAnd(call, {{"dtype", output.dtype}});
  return {};
}

Result RewriteFactory(Call& call, absl::string_view factory, const CallOutput& output) {
  std::vector<Argument> args = {{"size", SizesArgument(output.shape)}};
  if (const ArgumentValue* fill = FindArgument(call, "fill_value")) {
    args.push_back({"fill_value", *fill});
  }
  args.push_back({"dtype", output.dtype});
  call.op = std::string(factory);
  call.overload = "";
  call.args = std::move(args);
  return {};
}

// The sizes that the program gives, or those of the result where another tensor stands for them.
ArgumentValue GivenSizes(Call& call, const CallOutput& output) {
  for (const absl::string_view name : {"size", "shape"}) {
    if (const ArgumentValue* sizes = FindArgument(call, name)) return *sizes;
  }
  return SizesArgument(output.shape);
}

// Reshaping shows the input where its strides allow it, else it copies.
Result RewriteReshape(Call& call, const CallOutput& output) {
  if (call.op != "aten::flatten" && call.op != "aten::ravel") {
    ArgumentValue sizes = GivenSizes(call, output);
    call.op = "aten::reshape";
    call.overload = "";
    KeepSelfAnd(call, {{"shape", std::move(sizes)}});
  }
  if (!call.self_layout.CanShowAs(output.layout.sizes)) return {};
  return {ResultKind::kView, ViewKind::kReshape};
}

// aten::narrow(x, dim, start, length) as a slice.
void RewriteNarrow(Call& call) {
  const ArgumentValue* dim = FindArgument(call, "dim");
  const ArgumentValue* start = FindArgument(call, "start");
  const ArgumentValue* length = FindArgument(call, "length");
  if (dim == nullptr || start == nullptr || length == nullptr) return;
  const auto* from = std::get_if<int64_t>(start);
  const auto* count = std::get_if<int64_t>(length);
  int64_t end;
  if (from == nullptr || count == nullptr || *from < 0 ||
      __builtin_add_overflow(*from, *count, &end)) {
    return;
  }
  call.op = "aten::slice";
  call.overload = "Tensor";
  KeepSelfAnd(call, {{"dim", *dim}, {"start", *from}, {"end", end}, {"step", int64_t{1}}});
}

}  // namespace

bool ChangesInput(absl::string_view op) {
  return absl::EndsWith(op, "_") && !absl::EndsWith(op, "__");
}

bool DropsNothing(const Call& call) {
  if (!IsIn(absl::StripSuffix(call.op, "_"), kDropouts)) return false;
  const ArgumentValue* p = FindArgument(call, "p");
  const ArgumentValue* train = FindArgument(call, "train");
  if (train != nullptr && *train == ArgumentValue(false)) return true;
  return p != nullptr && (*p == ArgumentValue(0.0) || *p == ArgumentValue(int64_t{0}));
}

absl::StatusOr<Result> RewriteCall(Call& call) {
  // "dtype_layout" is none.
  if (call.overload == "out" || absl::EndsWith(call.overload, "_out")) {
    return call.Error("writes to an argument \"out\". Export the model without out=.");
  }
  if (call.op == "aten::view" && call.overload == "dtype") {
    return call.Error("shows the bytes of a tensor as another type. Use .to(dtype).");
  }
  if (call.outputs.empty() || !call.outputs[0].has_value()) return Result{};
  const CallOutput& output = *call.outputs[0];
  for (const FactoryRow& row : kFactories) {
    if (call.op == row.op) return RewriteFactory(call, row.factory, output);
  }
  if (call.self.empty()) return Result{};
  if (IsIn(call.op, kConversions)) return RewriteConversion(call, output);
  if (DropsNothing(call)) return Result{ResultKind::kSame};
  if (call.op == "aten::contiguous") {
    return Result{call.self_layout.IsContiguous() ? ResultKind::kSame : ResultKind::kCopy};
  }
  if (IsIn(call.op, kReshapes) || call.op == "aten::flatten" || call.op == "aten::ravel") {
    return RewriteReshape(call, output);
  }
  if (IsIn(call.op, kExpands)) {
    ArgumentValue sizes = GivenSizes(call, output);
    call.op = "aten::expand";
    call.overload = "";
    KeepSelfAnd(call, {{"size", std::move(sizes)}});
  }
  if (call.op == "aten::narrow") RewriteNarrow(call);
  const bool is_whole = (call.op == "aten::slice" || call.op == "aten::expand") &&
                        output.layout.sizes == call.self_layout.sizes;
  if (is_whole) return Result{ResultKind::kSame};
  for (const ViewRow& row : kViews) {
    if (call.op == row.op) return Result{row.result, row.view};
  }
  return Result{};
}

absl::Status MakeFunctional(Call& call) {
  if (IsIn(call.op, kReshapesInPlace)) {
    return call.Error("changes the shape of a tensor in place. Use the operator without \"_\".");
  }
  if (call.self.empty() || call.outputs.size() != 1 || !call.outputs[0].has_value()) {
    return call.Error("changes something that is not one tensor, its first argument.");
  }
  const CallOutput& output = *call.outputs[0];
  if (call.op == "aten::zero_") {
    RewriteFactory(call, "aten::zeros", output);
  } else if (call.op == "aten::fill_" && call.overload == "Scalar") {
    const ArgumentValue* value = FindArgument(call, "value");
    if (value == nullptr) return call.Error("has no argument \"value\".");
    call.args.push_back({"fill_value", *value});
    RewriteFactory(call, "aten::full", output);
  } else if (call.op == "aten::bernoulli_") {
    call.op = "aten::bernoulli";
    if (call.overload == "float") call.overload = "p";
  } else if (call.op == "aten::normal_") {
    call.op = "aten::normal_functional";
  } else {
    call.op.pop_back();
  }
  // In place their first argument has another name.
  if (!IsIn(call.op, kDropouts)) return absl::OkStatus();
  for (Argument& argument : call.args) {
    if (argument.name == "self") argument.name = "input";
  }
  return absl::OkStatus();
}

}  // namespace mantissa::models
