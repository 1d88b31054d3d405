// server/models/program.h
//
// What torch.export wrote, as it stands in models/*.json: names not yet resolved, sizes still
// expressions, operators that change values in place. server/models/import.h makes a graph of it.
//
//   for (const ProgramNode& node : program.graph.nodes) { ... node.target ... }
//
// The fields are those of torch/_export/serde/schema.py, schema 8.

#ifndef MANTISSA_SERVER_MODELS_PROGRAM_H_
#define MANTISSA_SERVER_MODELS_PROGRAM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace mantissa::models {

// A number, or an expression over symbols as sympy's srepr writes it, with its value at export.
struct SymbolicInt {
  int64_t number = 0;
  // Empty: it is `number`.
  std::string expression;
  std::optional<int64_t> hint;
};

struct TensorMeta {
  // torch's ScalarType as torch.export numbers it.
  int64_t dtype = 0;
  std::vector<SymbolicInt> sizes;
  std::vector<SymbolicInt> strides;
  SymbolicInt offset;
  bool requires_grad = false;
};

struct ProgramGraph;

// Arguments by their tags.
struct NoneArgument {};
// as_device, as_layout, as_memory_format: where and how a tensor lies, which the engine decides.
struct PlacementArgument {};
struct TensorName {
  std::string name;
};
// Those that are None have no name.
struct TensorNames {
  std::vector<std::optional<std::string>> names;
};
struct ScalarTypeArgument {
  int64_t dtype = 0;
};
// as_sym_int, as_sym_float, as_sym_bool by name.
struct SymbolName {
  std::string name;
};
struct SymbolicInts {
  std::vector<std::variant<int64_t, std::string>> entries;
};
struct NestedGraph {
  std::string name;
  std::shared_ptr<const ProgramGraph> graph;
};
// A tag that no operator of a trained model has: as_custom_obj, as_operator...
struct UnknownArgument {
  std::string tag;
};

using ProgramArgument =
    std::variant<NoneArgument, PlacementArgument, TensorName, TensorNames, bool, int64_t, double,
                 std::string, std::vector<bool>, std::vector<int64_t>, std::vector<double>,
                 ScalarTypeArgument, SymbolName, SymbolicInts, NestedGraph, UnknownArgument>;

struct NamedArgument {
  std::string name;
  ProgramArgument value;
};

struct ProgramNode {
  // "torch.ops.aten.conv2d.default".
  std::string target;
  std::vector<NamedArgument> inputs;
  std::vector<ProgramArgument> outputs;
  // Dotted path of the module that called it; "" for the outermost or where it is not said.
  std::string module;
};

struct ProgramGraph {
  std::vector<ProgramArgument> inputs;
  std::vector<ProgramArgument> outputs;
  std::vector<ProgramNode> nodes;
  absl::flat_hash_map<std::string, TensorMeta> tensors;
  // Symbolic numbers; those that are no whole numbers have no entry.
  absl::flat_hash_map<std::string, SymbolicInt> symbols;
};

enum class InputKind { kUser, kParameter, kBuffer, kConstant };

struct InputSpec {
  InputKind kind = InputKind::kUser;
  // Name in the graph.
  std::string name;
  // Name in the state dict or among the constants; empty for kUser.
  std::string stored_name;
  // Of kBuffer: whether it is in the state dict.
  bool persistent = true;
};

struct Program {
  ProgramGraph graph;
  // Tensors only, in the order of the model's arguments.
  std::vector<InputSpec> inputs;
  // The first tensor that the model returns.
  std::string output;
  // "2.11.0+cu130"; empty where it is not said.
  std::string torch_version;
};

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_PROGRAM_H_
