#include "server/models/import.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "planner/graph/operators.h"
#include "server/data/names.h"
#include "server/models/call_reader.h"
#include "server/models/emitter.h"
#include "server/models/finish.h"
#include "server/models/inputs.h"
#include "server/models/metadata.h"
#include "server/models/rewrite.h"
#include "server/models/storages.h"
#include "server/models/write.h"

namespace mantissa::models {
namespace {

using planner::Argument;
using planner::ArgumentValue;
using planner::Dim;
using planner::DType;
using planner::Graph;
using planner::kNoValue;
using planner::Shape;
using planner::Value;
using planner::ValueId;
using planner::ValueRef;

constexpr int kMaxNestedGraphs = 8;

bool IsSymbol(const ProgramArgument& output) {
  return std::holds_alternative<SymbolName>(output) || std::holds_alternative<bool>(output) ||
         std::holds_alternative<int64_t>(output) || std::holds_alternative<double>(output);
}

class Importer {
 public:
  Importer(absl::string_view name, const Program& program, const StoredTensors& stored,
           const Limits& limits, Metadata metadata)
      : program_(program),
        stored_(stored),
        metadata_(std::move(metadata)),
        graph_(std::string(name)),
        emitter_(graph_),
        storages_(emitter_, limits) {}

  absl::StatusOr<Imported> Import() {
    TensorNamesById tensors;
    ASSIGN_OR_RETURN(const StoredValues values,
                     AddInputs(program_, stored_, metadata_, graph_, storages_, tensors));
    RETURN_IF_ERROR(Run(program_.graph, tensors, 0));
    const auto output = tensors.find(program_.output);
    if (output == tensors.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the output ", data::Printable(program_.output),
                       " is made by no operator. Export the model again."));
    }
    graph_.SetOutput(storages_.Read(output->second));
    RETURN_IF_ERROR(CheckWrites(stored_, values, storages_));
    ASSIGN_OR_RETURN(Finished finished, Finish(graph_, emitter_.places()));
    Imported imported{.graph = std::move(finished.graph)};
    const auto index_of = [&values](const std::vector<ValueId>& ids, std::vector<size_t>& indices) {
      for (const ValueId id : ids) indices.push_back(values.stored_of.at(id));
    };
    index_of(finished.parameters, imported.parameters);
    index_of(finished.buffers, imported.buffers);
    index_of(finished.constants, imported.constants);
    return imported;
  }

 private:
  absl::Status Run(const ProgramGraph& graph, TensorNamesById& tensors, int depth) {
    for (const ProgramNode& node : graph.nodes) {
      if (absl::StartsWith(node.target, "torch.ops.higher_order.")) {
        RETURN_IF_ERROR(RunNested(node, tensors, depth));
        continue;
      }
      // What gives numbers is in the metadata; what gives nothing is an assertion.
      if (std::all_of(node.outputs.begin(), node.outputs.end(), IsSymbol)) {
        RETURN_IF_ERROR(CheckGivesNothing(node));
        continue;
      }
      ASSIGN_OR_RETURN(Call call, ReadCall(graph, node, tensors, metadata_, storages_));
      emitter_.SetPlace({node.module, NameOf(call)});
      RETURN_IF_ERROR(ChangesInput(call.op) ? Change(call, tensors) : Compute(call, tensors));
    }
    return absl::OkStatus();
  }

  // After what it makes; where that is several tensors, after the operator.
  static std::string NameOf(const Call& call) {
    if (call.outputs.size() != 1 || !call.outputs[0].has_value()) {
      return std::string(absl::StripPrefix(call.op, "aten::"));
    }
    absl::string_view name = call.outputs[0]->name;
    if (ChangesInput(call.op)) absl::ConsumeSuffix(&name, "_");
    return std::string(name);
  }

  static absl::Status CheckGivesNothing(const ProgramNode& node) {
    const std::vector<absl::string_view> parts = absl::StrSplit(node.target, '.');
    if (parts.size() < 2 || !ChangesInput(parts[parts.size() - 2]) || !node.outputs.empty()) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("the operator ", data::Printable(node.target),
                     " changes tensors in place and gives none back. Use its form without \"_\"."));
  }

  absl::Status Define(TensorNamesById& tensors, const Call& call, absl::string_view name,
                      TensorId tensor) {
    if (tensors.emplace(name, tensor).second) return absl::OkStatus();
    return call.Error("makes a tensor whose name is taken. Export the model again.");
  }

  absl::Status Compute(Call& call, TensorNamesById& tensors) {
    if (call.op == "aten::detach" && !call.self.empty() &&
        !emitter_.CarriesGradient(storages_.Read(tensors.at(call.self)))) {
      call.op = "aten::alias";
    }
    ASSIGN_OR_RETURN(const Result result, RewriteCall(call));
    if (result.kind == ResultKind::kSame || result.kind == ResultKind::kCopy) {
      return Repeat(call, result, tensors);
    }
    std::vector<std::optional<Graph::Output>> outputs;
    for (const std::optional<CallOutput>& output : call.outputs) {
      if (output.has_value()) {
        outputs.push_back(Graph::Output{.dtype = output->dtype, .shape = output->shape});
      } else {
        outputs.push_back(std::nullopt);
      }
    }
    const std::vector<ValueId> values =
        emitter_.Emit(call.op, call.overload, call.args, std::move(outputs));
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] == kNoValue) continue;
      ASSIGN_OR_RETURN(const TensorId tensor, AddResult(call, result, i, values[i], tensors));
      RETURN_IF_ERROR(Define(tensors, call, call.outputs[i]->name, tensor));
    }
    return absl::OkStatus();
  }

  absl::Status Repeat(const Call& call, const Result& result, TensorNamesById& tensors) {
    const TensorId self = tensors.at(call.self);
    const CallOutput& output = *call.outputs[0];
    const Value& value = graph_.value(storages_.Read(self));
    if (value.shape != output.shape || value.dtype != output.dtype) {
      return call.Error("should give its input, but in another shape. Export the model again.");
    }
    if (result.kind == ResultKind::kSame) return Define(tensors, call, output.name, self);
    return Define(tensors, call, output.name, storages_.Add(storages_.Read(self)));
  }

  absl::StatusOr<TensorId> AddResult(const Call& call, const Result& result, size_t index,
                                     ValueId value, const TensorNamesById& tensors) {
    if (result.kind == ResultKind::kNew) return storages_.Add(value);
    ViewStep step;
    if (result.kind == ResultKind::kParts) {
      step = PartStep(call, index);
    } else {
      step = {.kind = result.view, .op = call.op, .overload = call.overload};
      for (const Argument& argument : call.args) {
        if (argument.name != "self") step.args.push_back(argument);
      }
    }
    absl::StatusOr<TensorId> view =
        storages_.AddView(tensors.at(call.self), std::move(step), value);
    if (!view.ok()) return call.Error(view.status().message());
    return view;
  }

  absl::Status Change(Call& call, TensorNamesById& tensors) {
    const bool gives_input = DropsNothing(call);
    RETURN_IF_ERROR(MakeFunctional(call));
    const TensorId self = tensors.at(call.self);
    if (gives_input) return Define(tensors, call, call.outputs[0]->name, self);
    // A copy: what is emitted moves the values.
    const Value before = graph_.value(storages_.Read(self));
    const CallOutput& output = *call.outputs[0];
    if (output.shape != before.shape || output.dtype != before.dtype) {
      return call.Error("changes the shape or type of a tensor in place. Use it without \"_\".");
    }
    ASSIGN_OR_RETURN(const ValueId value, ValueToWrite(call, before, emitter_));
    const absl::Status written = storages_.Write(self, value);
    if (!written.ok()) return call.Error(absl::StrCat("can't be run: ", written.message()));
    return Define(tensors, call, output.name, self);
  }

  // A graph inside the graph runs as if it stood there, where that is all that the operator does.
  absl::Status RunNested(const ProgramNode& node, TensorNamesById& tensors, int depth) {
    ASSIGN_OR_RETURN(const NestedCall nested, ReadNestedCall(node));
    if (depth >= kMaxNestedGraphs) {
      return absl::ResourceExhaustedError(
          absl::StrCat("graphs are inside one another more than ", kMaxNestedGraphs,
                       " times, the limit. Export a simpler model."));
    }
    TensorNamesById inner;
    for (const auto& [outside, inside] : nested.tensors) {
      const auto tensor = tensors.find(outside);
      if (tensor == tensors.end()) return Undefined(node, outside);
      ASSIGN_OR_RETURN(inner[inside], nested.without_gradient
                                          ? WithoutGradient(node, tensor->second)
                                          : absl::StatusOr<TensorId>(tensor->second));
    }
    RETURN_IF_ERROR(Run(*nested.graph, inner, depth + 1));
    for (const auto& [inside, outside] : nested.results) {
      const auto tensor = inner.find(inside);
      if (tensor == inner.end()) return Undefined(node, inside);
      if (!tensors.emplace(outside, tensor->second).second) return Undefined(node, outside);
    }
    return absl::OkStatus();
  }

  static absl::Status Undefined(const ProgramNode& node, absl::string_view name) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the operator ", data::Printable(node.target), " uses the name ", data::Printable(name),
        ", which is not made before it or made twice. Export "
        "the model again."));
  }

  absl::StatusOr<TensorId> WithoutGradient(const ProgramNode& node, TensorId tensor) {
    const ValueId value = storages_.Read(tensor);
    if (!emitter_.CarriesGradient(value)) return tensor;
    emitter_.SetPlace({node.module, absl::StrCat(graph_.value(value).name, "_detached")});
    const Value before = graph_.value(value);
    const ValueId detached =
        emitter_.Emit("aten::detach", "", {{"self", ValueRef{value}}}, before.dtype, before.shape);
    return storages_.AddView(tensor, {.op = "aten::detach"}, detached);
  }

  const Program& program_;
  const StoredTensors& stored_;
  Metadata metadata_;
  Graph graph_;
  Emitter emitter_;
  Storages storages_;
};

}  // namespace

absl::StatusOr<Imported> ImportProgram(absl::string_view name, const Program& program,
                                       const StoredTensors& stored, const Limits& limits) {
  ASSIGN_OR_RETURN(Metadata metadata, Metadata::Make(program, limits));
  return Importer(name, program, stored, limits, std::move(metadata)).Import();
}

}  // namespace mantissa::models
