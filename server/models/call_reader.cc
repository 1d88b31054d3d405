#include "server/models/call_reader.h"

#include <cmath>
#include <optional>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "server/data/names.h"

namespace mantissa::models {
namespace {

using planner::Argument;
using planner::ArgumentValue;
using planner::Dim;
using planner::kNoValue;
using planner::Shape;
using planner::ValueRef;

// Arguments that say where a tensor lies or who else draws random numbers: the engine's affair.
bool IsPlacement(absl::string_view name) {
  return name == "pin_memory" || name == "generator" || name == "non_blocking" ||
         name == "device" || name == "layout" || name == "memory_format";
}

class ArgumentReader {
 public:
  ArgumentReader(const ProgramGraph& graph, const TensorNamesById& tensors, Metadata& metadata,
                 Storages& storages, Call& call)
      : graph_(graph), tensors_(tensors), metadata_(metadata), storages_(storages), call_(call) {}

  absl::Status Read(const NamedArgument& input) {
    name_ = input.name;
    if (IsPlacement(name_)) return absl::OkStatus();
    for (const Argument& before : call_.args) {
      if (before.name == name_) return Wrong("is given twice");
    }
    ASSIGN_OR_RETURN(std::optional<ArgumentValue> value, std::visit(*this, input.value));
    if (value.has_value()) call_.args.push_back({name_, *std::move(value)});
    return absl::OkStatus();
  }

  using Result = absl::StatusOr<std::optional<ArgumentValue>>;

  Result operator()(const NoneArgument&) { return ArgumentValue(); }
  Result operator()(const PlacementArgument&) { return std::nullopt; }
  Result operator()(const TensorName& tensor) {
    ASSIGN_OR_RETURN(const ValueRef ref, Read(tensor.name));
    if (call_.self.empty()) RETURN_IF_ERROR(SetSelf(tensor.name));
    return ArgumentValue(ref);
  }
  Result operator()(const TensorNames& names) {
    std::vector<ValueRef> refs;
    for (const std::optional<std::string>& name : names.names) {
      refs.emplace_back();
      if (name.has_value()) {
        ASSIGN_OR_RETURN(refs.back(), Read(*name));
      }
    }
    return ArgumentValue(std::move(refs));
  }
  Result operator()(const ScalarTypeArgument& type) {
    ASSIGN_OR_RETURN(const planner::DType dtype, metadata_.ElementType(type.dtype));
    return ArgumentValue(dtype);
  }
  Result operator()(const SymbolName& symbol) {
    ASSIGN_OR_RETURN(const Dim dim, metadata_.Symbol(graph_, symbol.name));
    return SizeArgument(dim);
  }
  Result operator()(const SymbolicInts& ints) {
    Shape shape;
    for (const auto& entry : ints.entries) {
      if (const int64_t* number = std::get_if<int64_t>(&entry)) {
        shape.push_back(*number);
        continue;
      }
      ASSIGN_OR_RETURN(const Dim dim, metadata_.Symbol(graph_, std::get<std::string>(entry)));
      shape.push_back(dim);
    }
    return SizesArgument(shape);
  }
  Result operator()(double number) {
    if (std::isnan(number)) return Wrong("is not a number");
    return ArgumentValue(number);
  }
  Result operator()(const std::vector<double>& numbers) { return ArgumentValue(numbers); }
  Result operator()(const std::vector<int64_t>& numbers) { return ArgumentValue(numbers); }
  Result operator()(const std::vector<bool>& flags) { return ArgumentValue(flags); }
  Result operator()(const std::string& text) { return ArgumentValue(text); }
  Result operator()(bool flag) { return ArgumentValue(flag); }
  Result operator()(int64_t number) { return ArgumentValue(number); }
  Result operator()(const NestedGraph&) { return Wrong("is a graph, which no operator takes"); }
  Result operator()(const UnknownArgument& unknown) {
    return Wrong(absl::StrCat("is of the kind ", unknown.tag, ", which no operator here takes"));
  }

 private:
  absl::Status Wrong(absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat("the argument ", data::Printable(name_), " ", what, "."));
  }

  absl::StatusOr<ValueRef> Read(const std::string& name) {
    const auto tensor = tensors_.find(name);
    if (tensor == tensors_.end()) {
      return Wrong(absl::StrCat("is ", data::Printable(name), ", which is not made before it"));
    }
    return ValueRef{storages_.Read(tensor->second)};
  }

  absl::Status SetSelf(const std::string& name) {
    ASSIGN_OR_RETURN(CallOutput self, metadata_.Describe(graph_, name));
    call_.self = name;
    call_.self_dtype = self.dtype;
    call_.self_layout = std::move(self.layout);
    return absl::OkStatus();
  }

  const ProgramGraph& graph_;
  const TensorNamesById& tensors_;
  Metadata& metadata_;
  Storages& storages_;
  Call& call_;
  std::string name_;
};

absl::Status ReadOutputs(const ProgramGraph& graph, const ProgramNode& node, Metadata& metadata,
                         Call& call) {
  const auto add = [&](const std::string& name) -> absl::Status {
    ASSIGN_OR_RETURN(call.outputs.emplace_back(), metadata.Describe(graph, name));
    return absl::OkStatus();
  };
  for (const ProgramArgument& output : node.outputs) {
    if (const auto* tensor = std::get_if<TensorName>(&output)) {
      RETURN_IF_ERROR(add(tensor->name));
    } else if (const auto* list = std::get_if<TensorNames>(&output)) {
      if (node.outputs.size() > 1) return call.Error("gives lists beside other results.");
      call.gives_list = true;
      for (const std::optional<std::string>& name : list->names) {
        if (!name.has_value()) {
          call.outputs.emplace_back();
          continue;
        }
        RETURN_IF_ERROR(add(*name));
      }
    } else if (std::holds_alternative<NoneArgument>(output)) {
      call.outputs.emplace_back();
    } else {
      return call.Error("gives something that is no tensor beside tensors.");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Call> ReadCall(const ProgramGraph& graph, const ProgramNode& node,
                              const TensorNamesById& tensors, Metadata& metadata,
                              Storages& storages) {
  const std::vector<absl::string_view> parts = absl::StrSplit(node.target, '.');
  if (parts.size() != 5 || parts[0] != "torch" || parts[1] != "ops" || parts[2] != "aten") {
    return absl::InvalidArgumentError(absl::StrCat(
        "the operator ", data::Printable(node.target),
        " is none of PyTorch's own (torch.ops.aten), and only those can be run. Export a model "
        "without it."));
  }
  Call call{.op = absl::StrCat("aten::", parts[3]),
            .overload = parts[4] == "default" ? "" : std::string(parts[4])};
  RETURN_IF_ERROR(ReadOutputs(graph, node, metadata, call));
  ArgumentReader reader(graph, tensors, metadata, storages, call);
  for (const NamedArgument& input : node.inputs) {
    const absl::Status status = reader.Read(input);
    if (!status.ok()) {
      return call.Error(
          absl::StrCat("can't be run: ", status.message(), " Export the model again."));
    }
  }
  return call;
}

ViewStep PartStep(const Call& call, size_t index) {
  int64_t dim = 0;
  for (const Argument& argument : call.args) {
    const auto* number = std::get_if<int64_t>(&argument.value);
    if (argument.name == "dim" && number != nullptr) dim = *number;
  }
  if (call.op == "aten::unbind") {
    return {.kind = ViewKind::kSelect,
            .op = "aten::select",
            .overload = "int",
            .args = {{"dim", dim}, {"index", static_cast<int64_t>(index)}}};
  }
  // The sum of the sizes before it: numbers, or multiples of the batch.
  Dim start = 0, end = 0;
  for (size_t i = 0; i <= index; ++i) {
    if (!call.outputs[i].has_value()) return {.op = call.op};
    const Shape& shape = call.outputs[i]->shape;
    const auto rank = static_cast<int64_t>(shape.size());
    const int64_t at = dim < 0 ? dim + rank : dim;
    if (at < 0 || at >= rank) return {.op = call.op};
    start = end;
    end.times_batch = shape[at].times_batch;
    end.factor = start.factor + shape[at].factor;
    if (i > 0 && start.times_batch != end.times_batch) return {.op = call.op};
  }
  return {.kind = ViewKind::kSlice,
          .op = "aten::slice",
          .overload = "Tensor",
          .args = {{"dim", dim},
                   {"start", SizeArgument(start)},
                   {"end", SizeArgument(end)},
                   {"step", int64_t{1}}}};
}

namespace {

absl::Status WrongNested(const ProgramNode& node, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("the operator ", data::Printable(node.target), " ", what));
}

// Where the graph is among the arguments, or why the operator can't be run.
absl::StatusOr<size_t> FindGraph(const ProgramNode& node, NestedCall& nested) {
  const auto flag = [&node](size_t index) {
    return node.inputs.size() > index ? std::get_if<bool>(&node.inputs[index].value) : nullptr;
  };
  if (absl::EndsWith(node.target, ".wrap_with_set_grad_enabled")) {
    if (flag(0) == nullptr) return WrongNested(node, "does not begin with true or false.");
    nested.without_gradient = !*flag(0);
    return 1;
  }
  if (absl::EndsWith(node.target, ".wrap_with_autocast")) {
    if (flag(2) == nullptr || *flag(2)) {
      return WrongNested(node,
                         "casts tensors by autocast, whose place the assignment takes. Export "
                         "the model without torch.autocast.");
    }
    return 4;
  }
  return WrongNested(node,
                     "holds graphs whose running depends on data; such models can't be "
                     "trained here. Export a model without torch.cond, map or loops.");
}

}  // namespace

absl::StatusOr<NestedCall> ReadNestedCall(const ProgramNode& node) {
  NestedCall nested;
  ASSIGN_OR_RETURN(const size_t at, FindGraph(node, nested));
  const auto* graph =
      node.inputs.size() > at ? std::get_if<NestedGraph>(&node.inputs[at].value) : nullptr;
  if (graph == nullptr) return WrongNested(node, "holds no graph. Export the model again.");
  nested.graph = graph->graph.get();
  if (node.inputs.size() - at - 1 != nested.graph->inputs.size()) {
    return WrongNested(node, "gives its graph another number of arguments than that takes.");
  }
  for (size_t i = 0; i < nested.graph->inputs.size(); ++i) {
    const auto* outside = std::get_if<TensorName>(&node.inputs[at + 1 + i].value);
    const auto* inside = std::get_if<TensorName>(&nested.graph->inputs[i]);
    if (outside != nullptr && inside != nullptr) {
      nested.tensors.push_back({outside->name, inside->name});
    } else if (outside != nullptr || inside != nullptr) {
      return WrongNested(node, "gives its graph other kinds of arguments than that takes.");
    }
  }
  // One result or several, or one list of them.
  std::vector<std::optional<std::string>> outside;
  for (const ProgramArgument& output : node.outputs) {
    if (const auto* tensor = std::get_if<TensorName>(&output)) outside.push_back(tensor->name);
    if (const auto* list = std::get_if<TensorNames>(&output)) outside = list->names;
  }
  size_t next = 0;
  for (const ProgramArgument& output : nested.graph->outputs) {
    const auto* inside = std::get_if<TensorName>(&output);
    if (inside == nullptr) continue;
    if (next >= outside.size()) return WrongNested(node, "has fewer results than its graph.");
    const std::optional<std::string>& name = outside[next++];
    if (name.has_value()) nested.results.push_back({inside->name, *name});
  }
  return nested;
}

}  // namespace mantissa::models
