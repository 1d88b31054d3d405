#include "tests/server/models/graph_text.h"

#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mantissa::models {
namespace {

using planner::Dim;
using planner::DType;
using planner::Graph;
using planner::kNoValue;
using planner::Shape;
using planner::Value;
using planner::ValueId;
using planner::ValueKind;
using planner::ValueRef;

std::string DTypeText(DType dtype) {
  constexpr absl::string_view kNames[] = {"float32", "float64", "float16", "bfloat16",
                                          "int64",   "int32",   "uint8",   "bool"};
  return std::string(kNames[static_cast<int>(dtype)]);
}

std::string DimText(const Dim& dim) {
  if (!dim.times_batch) return absl::StrCat(dim.factor);
  return dim.factor == 1 ? "N" : absl::StrCat(dim.factor, "N");
}

template <typename List, typename Text>
std::string ListText(const List& list, Text text) {
  std::vector<std::string> parts;
  for (const auto& entry : list) parts.push_back(text(entry));
  return absl::StrCat("[", absl::StrJoin(parts, ", "), "]");
}

struct ArgumentText {
  const Graph& graph;

  std::string operator()(std::monostate) const { return "none"; }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(int64_t number) const { return absl::StrCat(number); }
  std::string operator()(double number) const { return absl::StrCat("f:", number); }
  std::string operator()(const std::string& text) const { return absl::StrCat("\"", text, "\""); }
  std::string operator()(DType dtype) const { return DTypeText(dtype); }
  std::string operator()(const ValueRef& ref) const {
    return ref.id == kNoValue ? "none" : graph.value(ref.id).name;
  }
  std::string operator()(const Dim& dim) const { return DimText(dim); }
  template <typename T>
  std::string operator()(const std::vector<T>& list) const {
    return ListText(list, *this);
  }
};

std::string TypeText(const Value& value) {
  return absl::StrCat(DTypeText(value.dtype), " ", ListText(value.shape, DimText));
}

}  // namespace

std::string ToText(const Graph& graph) {
  std::string text;
  const auto add = [&](absl::string_view kind, const std::vector<ValueId>& values) {
    for (const ValueId id : values) {
      const Value& value = graph.value(id);
      absl::StrAppend(&text, kind, " ", value.name, " ", TypeText(value),
                      value.frozen ? " frozen" : "", "\n");
    }
  };
  add("input", graph.inputs());
  add("parameter", graph.parameters());
  add("buffer", graph.buffers());
  add("constant", graph.constants());
  for (const planner::Node& node : graph.nodes()) {
    std::vector<std::string> args, outputs;
    for (const planner::Argument& argument : node.args) {
      args.push_back(
          absl::StrCat(argument.name, "=", std::visit(ArgumentText{graph}, argument.value)));
    }
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) {
        outputs.push_back("none");
        continue;
      }
      const Value& value = graph.value(id);
      outputs.push_back(absl::StrCat(
          TypeText(value),
          value.alias_of == kNoValue ? "" : " of " + graph.value(value.alias_of).name));
    }
    absl::StrAppend(&text, node.name, " = ", node.op, node.overload.empty() ? "" : ".",
                    node.overload, "(", absl::StrJoin(args, ", "), ") -> ",
                    absl::StrJoin(outputs, "; "), "\n");
  }
  absl::StrAppend(&text, "output ", graph.value(graph.output()).name, "\n");
  return text;
}

}  // namespace mantissa::models
