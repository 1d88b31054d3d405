#include "server/models/program_reader.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "server/data/names.h"
#include "server/models/json.h"
#include "server/models/program_arguments.h"

namespace mantissa::models {
namespace {

constexpr int64_t kSchemaMajor = 8;

// What nobody here reads and can be long.
constexpr absl::string_view kIgnored[] = {
    "module_call_graph", "guards_code",     "treespec_namedtuple_fields",
    "stack_trace",       "source_fn_stack", "from_node",
    "torch_fn",          "opset_version",   "range_constraints",
};

// "key,path,type;key,path,type", the innermost module last. Commas can be in the type only.
std::string ModulePath(absl::string_view stack) {
  std::string path;
  for (absl::string_view entry : absl::StrSplit(stack, ';')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(entry, absl::MaxSplits(',', 2));
    if (parts.size() < 3) continue;
    path = std::string(parts[1]);
  }
  return path;
}

class GraphReader {
 public:
  explicit GraphReader(const Limits& limits) : limits_(limits) {}

  absl::StatusOr<ProgramGraph> Read(const Cursor& json) {
    ProgramGraph graph;
    RETURN_IF_ERROR(ReadArguments(json, "inputs", graph.inputs));
    RETURN_IF_ERROR(ReadArguments(json, "outputs", graph.outputs));
    ASSIGN_OR_RETURN(const Cursor nodes, json.Field("nodes"));
    ASSIGN_OR_RETURN(const int64_t count, nodes.ListSize());
    if ((nodes_ += count) > limits_.nodes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the model has more than ", limits_.nodes,
                       " operators, the limit. Export a smaller part of it."));
    }
    graph.nodes.reserve(count);
    for (int64_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(ProgramNode node, ReadNode(nodes.At(i)));
      graph.nodes.push_back(std::move(node));
    }
    RETURN_IF_ERROR(ReadTensors(json, graph));
    RETURN_IF_ERROR(ReadSymbols(json, graph));
    return graph;
  }

 private:
  absl::StatusOr<ProgramArgument> ReadOne(const Cursor& json) {
    ASSIGN_OR_RETURN(const Union tagged, ReadUnion(json));
    if (tagged.tag != "as_graph") return ReadArgument(tagged);
    ASSIGN_OR_RETURN(const absl::string_view name, tagged.value.FieldText("name"));
    ASSIGN_OR_RETURN(const Cursor nested, tagged.value.Field("graph"));
    ASSIGN_OR_RETURN(ProgramGraph graph, Read(nested));
    return NestedGraph{std::string(name), std::make_shared<const ProgramGraph>(std::move(graph))};
  }

  absl::Status ReadArguments(const Cursor& json, absl::string_view field,
                             std::vector<ProgramArgument>& arguments) {
    ASSIGN_OR_RETURN(const Cursor list, json.Field(field));
    ASSIGN_OR_RETURN(const int64_t count, list.ListSize());
    for (int64_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(ProgramArgument argument, ReadOne(list.At(i)));
      arguments.push_back(std::move(argument));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ProgramNode> ReadNode(const Cursor& json) {
    ProgramNode node;
    ASSIGN_OR_RETURN(const absl::string_view target, json.FieldText("target"));
    node.target = std::string(target);
    ASSIGN_OR_RETURN(const Cursor inputs, json.Field("inputs"));
    ASSIGN_OR_RETURN(const int64_t count, inputs.ListSize());
    for (int64_t i = 0; i < count; ++i) {
      const Cursor input = inputs.At(i);
      ASSIGN_OR_RETURN(const absl::string_view name, input.FieldText("name"));
      ASSIGN_OR_RETURN(const Cursor arg, input.Field("arg"));
      ASSIGN_OR_RETURN(ProgramArgument value, ReadOne(arg));
      node.inputs.push_back({std::string(name), std::move(value)});
    }
    RETURN_IF_ERROR(ReadArguments(json, "outputs", node.outputs));
    ASSIGN_OR_RETURN(const std::optional<Cursor> metadata, json.FindField("metadata"));
    if (!metadata.has_value()) return node;
    ASSIGN_OR_RETURN(const std::optional<Cursor> stack, metadata->FindField("nn_module_stack"));
    if (!stack.has_value()) return node;
    ASSIGN_OR_RETURN(const absl::string_view text, stack->Text());
    node.module = ModulePath(text);
    return node;
  }

  absl::Status ReadTensors(const Cursor& json, ProgramGraph& graph) {
    ASSIGN_OR_RETURN(const Cursor tensors, json.Field("tensor_values"));
    ASSIGN_OR_RETURN(const int64_t count, tensors.FieldCount());
    for (int64_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(TensorMeta meta, ReadTensorMeta(tensors.At(i), limits_));
      graph.tensors.emplace(tensors.KeyAt(i), std::move(meta));
    }
    return absl::OkStatus();
  }

  absl::Status ReadSymbols(const Cursor& json, ProgramGraph& graph) {
    ASSIGN_OR_RETURN(const std::optional<Cursor> symbols, json.FindField("sym_int_values"));
    if (!symbols.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const int64_t count, symbols->FieldCount());
    for (int64_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(SymbolicInt symbol, ReadSymbolicInt(symbols->At(i)));
      graph.symbols.emplace(symbols->KeyAt(i), std::move(symbol));
    }
    return absl::OkStatus();
  }

  const Limits& limits_;
  int64_t nodes_ = 0;
};

absl::StatusOr<InputSpec> ReadStoredSpec(const Cursor& spec, InputKind kind,
                                         absl::string_view stored_name) {
  ASSIGN_OR_RETURN(const Cursor arg, spec.Field("arg"));
  ASSIGN_OR_RETURN(const absl::string_view name, arg.FieldText("name"));
  ASSIGN_OR_RETURN(const absl::string_view stored, spec.FieldText(stored_name));
  InputSpec input{.kind = kind, .name = std::string(name), .stored_name = std::string(stored)};
  if (kind == InputKind::kBuffer) {
    ASSIGN_OR_RETURN(input.persistent, spec.FieldBool("persistent"));
  }
  return input;
}

// Nothing for an input that is no tensor: its value is in the graph already.
absl::StatusOr<std::optional<InputSpec>> ReadInputSpec(const Cursor& json) {
  ASSIGN_OR_RETURN(const Union spec, ReadUnion(json));
  if (spec.tag == "parameter") {
    return ReadStoredSpec(spec.value, InputKind::kParameter, "parameter_name");
  }
  if (spec.tag == "buffer") return ReadStoredSpec(spec.value, InputKind::kBuffer, "buffer_name");
  if (spec.tag == "tensor_constant") {
    return ReadStoredSpec(spec.value, InputKind::kConstant, "tensor_constant_name");
  }
  if (spec.tag == "constant_input") return std::nullopt;
  if (spec.tag != "user_input") {
    return json.Error(absl::StrCat("is a \"", data::Printable(spec.tag),
                                   "\", which only Python can make; tensors are needed"));
  }
  ASSIGN_OR_RETURN(const Cursor arg, spec.value.Field("arg"));
  ASSIGN_OR_RETURN(const Union tagged, ReadUnion(arg));
  if (tagged.tag != "as_tensor") return std::nullopt;
  ASSIGN_OR_RETURN(const absl::string_view name, tagged.value.FieldText("name"));
  return InputSpec{.kind = InputKind::kUser, .name = std::string(name)};
}

absl::Status ReadInputs(const Cursor& signature, Program& program) {
  ASSIGN_OR_RETURN(const Cursor specs, signature.Field("input_specs"));
  ASSIGN_OR_RETURN(const int64_t count, specs.ListSize());
  for (int64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::optional<InputSpec> input, ReadInputSpec(specs.At(i)));
    if (input.has_value()) program.inputs.push_back(*std::move(input));
  }
  return absl::OkStatus();
}

absl::Status ReadOutputs(const Cursor& signature, Program& program) {
  ASSIGN_OR_RETURN(const Cursor specs, signature.Field("output_specs"));
  ASSIGN_OR_RETURN(const int64_t count, specs.ListSize());
  for (int64_t i = 0; i < count; ++i) {
    const Cursor json = specs.At(i);
    ASSIGN_OR_RETURN(const Union spec, ReadUnion(json));
    if (spec.tag != "user_output") {
      return json.Error(
          absl::StrCat("is a \"", data::Printable(spec.tag),
                       "\": the model was changed after its export, for instance by "
                       "run_decompositions; what torch.export.export gives is needed"));
    }
    if (!program.output.empty()) continue;
    ASSIGN_OR_RETURN(const Cursor arg, spec.value.Field("arg"));
    ASSIGN_OR_RETURN(const Union tagged, ReadUnion(arg));
    if (tagged.tag != "as_tensor") continue;
    ASSIGN_OR_RETURN(const absl::string_view name, tagged.value.FieldText("name"));
    program.output = std::string(name);
  }
  if (program.output.empty()) return specs.Error("has no tensor: the model returns none");
  return absl::OkStatus();
}

absl::Status CheckSchema(const Cursor& top) {
  ASSIGN_OR_RETURN(const Cursor version, top.Field("schema_version"));
  ASSIGN_OR_RETURN(const Cursor field, version.Field("major"));
  ASSIGN_OR_RETURN(const int64_t major, field.Whole());
  if (major == kSchemaMajor) return absl::OkStatus();
  return field.Error(absl::StrCat("is ", major, "; schema ", kSchemaMajor,
                                  " is read, which torch 2.9 to 2.11 write"));
}

}  // namespace

absl::StatusOr<Program> ReadProgram(absl::string_view name, absl::string_view text,
                                    const Limits& limits) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(name, text, limits, kIgnored));
  const Cursor top(json, name);
  RETURN_IF_ERROR(CheckSchema(top));
  Program program;
  ASSIGN_OR_RETURN(const Cursor module, top.Field("graph_module"));
  ASSIGN_OR_RETURN(const Cursor graph, module.Field("graph"));
  ASSIGN_OR_RETURN(program.graph, GraphReader(limits).Read(graph));
  ASSIGN_OR_RETURN(const Cursor signature, module.Field("signature"));
  RETURN_IF_ERROR(ReadInputs(signature, program));
  RETURN_IF_ERROR(ReadOutputs(signature, program));
  ASSIGN_OR_RETURN(const std::optional<Cursor> version, top.FindField("torch_version"));
  if (version.has_value()) {
    ASSIGN_OR_RETURN(const absl::string_view text_version, version->Text());
    program.torch_version = std::string(text_version);
  }
  return program;
}

}  // namespace mantissa::models
