#include "server/models/program_arguments.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/data/names.h"

namespace mantissa::models {
namespace {

template <typename T, typename ReadEntry>
absl::StatusOr<std::vector<T>> ReadList(const Cursor& json, ReadEntry read) {
  ASSIGN_OR_RETURN(const int64_t count, json.ListSize());
  std::vector<T> entries;
  entries.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    const Cursor entry = json.At(i);
    ASSIGN_OR_RETURN(T value, read(entry));
    entries.push_back(std::move(value));
  }
  return entries;
}

absl::StatusOr<std::string> ReadName(const Cursor& json) {
  ASSIGN_OR_RETURN(const absl::string_view name, json.FieldText("name"));
  return std::string(name);
}

using OptionalName = std::optional<std::string>;
absl::StatusOr<OptionalName> ReadOptionalTensor(const Cursor& json) {
  ASSIGN_OR_RETURN(const Union tagged, ReadUnion(json));
  if (tagged.tag == "as_none") return std::nullopt;
  if (tagged.tag != "as_tensor") return json.Error("is no tensor and not None");
  ASSIGN_OR_RETURN(std::string name, ReadName(tagged.value));
  return name;
}

using SymbolicEntry = std::variant<int64_t, std::string>;
absl::StatusOr<SymbolicEntry> ReadSymbolicEntry(const Cursor& json) {
  ASSIGN_OR_RETURN(const Union tagged, ReadUnion(json));
  if (tagged.tag == "as_int") {
    ASSIGN_OR_RETURN(const int64_t number, tagged.value.Whole());
    return number;
  }
  if (tagged.tag != "as_name") return json.Error("is no whole number and no name of one");
  ASSIGN_OR_RETURN(const absl::string_view name, tagged.value.Text());
  return std::string(name);
}

// A symbol by name, or the number that stands in its place.
absl::StatusOr<ProgramArgument> ReadSymbol(const Union& outer) {
  ASSIGN_OR_RETURN(const Union tagged, ReadUnion(outer.value));
  if (tagged.tag == "as_name") {
    ASSIGN_OR_RETURN(const absl::string_view name, tagged.value.Text());
    return SymbolName{std::string(name)};
  }
  return ReadArgument(tagged);
}

absl::StatusOr<ProgramArgument> ReadLists(const Union& tagged) {
  const Cursor& json = tagged.value;
  if (tagged.tag == "as_ints") {
    return ReadList<int64_t>(json, [](const Cursor& entry) { return entry.Whole(); });
  }
  if (tagged.tag == "as_floats") {
    return ReadList<double>(json, [](const Cursor& entry) { return entry.Real(); });
  }
  if (tagged.tag == "as_bools") {
    return ReadList<bool>(json, [](const Cursor& entry) { return entry.Bool(); });
  }
  if (tagged.tag == "as_tensors") {
    ASSIGN_OR_RETURN(auto names, ReadList<OptionalName>(json, ReadName));
    return TensorNames{std::move(names)};
  }
  if (tagged.tag == "as_optional_tensors") {
    ASSIGN_OR_RETURN(auto names, ReadList<OptionalName>(json, ReadOptionalTensor));
    return TensorNames{std::move(names)};
  }
  if (tagged.tag == "as_sym_ints") {
    ASSIGN_OR_RETURN(auto entries, ReadList<SymbolicEntry>(json, ReadSymbolicEntry));
    return SymbolicInts{std::move(entries)};
  }
  return UnknownArgument{data::Printable(tagged.tag)};
}

template <typename T>
absl::StatusOr<ProgramArgument> AsArgument(absl::StatusOr<T> value) {
  if (!value.ok()) return value.status();
  return ProgramArgument(T(*std::move(value)));
}

}  // namespace

absl::StatusOr<Union> ReadUnion(const Cursor& json) {
  ASSIGN_OR_RETURN(const int64_t count, json.FieldCount());
  if (count != 1) return json.Error(absl::StrCat("has ", count, " fields; one is needed"));
  return Union{json.KeyAt(0), json.At(0)};
}

absl::StatusOr<ProgramArgument> ReadArgument(const Union& tagged) {
  const absl::string_view tag = tagged.tag;
  const Cursor& json = tagged.value;
  if (tag == "as_none") return NoneArgument{};
  if (tag == "as_device" || tag == "as_layout" || tag == "as_memory_format") {
    return PlacementArgument{};
  }
  if (tag == "as_bool") return AsArgument(json.Bool());
  if (tag == "as_int") return AsArgument(json.Whole());
  if (tag == "as_float") return AsArgument(json.Real());
  if (tag == "as_string") {
    ASSIGN_OR_RETURN(const absl::string_view text, json.Text());
    return std::string(text);
  }
  if (tag == "as_tensor") {
    ASSIGN_OR_RETURN(std::string name, ReadName(json));
    return TensorName{std::move(name)};
  }
  if (tag == "as_optional_tensor") {
    ASSIGN_OR_RETURN(OptionalName name, ReadOptionalTensor(json));
    if (!name.has_value()) return NoneArgument{};
    return TensorName{*std::move(name)};
  }
  if (tag == "as_scalar_type") {
    ASSIGN_OR_RETURN(const int64_t dtype, json.Whole());
    return ScalarTypeArgument{dtype};
  }
  if (tag == "as_sym_int" || tag == "as_sym_float" || tag == "as_sym_bool") {
    return ReadSymbol(tagged);
  }
  return ReadLists(tagged);
}

absl::StatusOr<SymbolicInt> ReadSymbolicInt(const Cursor& json) {
  ASSIGN_OR_RETURN(const Union tagged, ReadUnion(json));
  SymbolicInt value;
  if (tagged.tag == "as_int") {
    ASSIGN_OR_RETURN(value.number, tagged.value.Whole());
    return value;
  }
  if (tagged.tag != "as_expr") return json.Error("is no whole number and no expression");
  ASSIGN_OR_RETURN(const absl::string_view text, tagged.value.FieldText("expr_str"));
  if (text.empty()) return json.Error("has an empty expression");
  value.expression = std::string(text);
  ASSIGN_OR_RETURN(const std::optional<Cursor> hint, tagged.value.FindField("hint"));
  if (!hint.has_value()) return value;
  ASSIGN_OR_RETURN(const Union hinted, ReadUnion(*hint));
  if (hinted.tag == "as_int") {
    ASSIGN_OR_RETURN(value.hint, hinted.value.Whole());
  }
  return value;
}

namespace {

absl::StatusOr<std::vector<SymbolicInt>> ReadSizes(const Cursor& meta, absl::string_view field,
                                                   const Limits& limits) {
  ASSIGN_OR_RETURN(const Cursor list, meta.Field(field));
  ASSIGN_OR_RETURN(const int64_t count, list.ListSize());
  if (count > limits.dimensions) {
    return list.Error(
        absl::StrCat("has ", count, " dimensions; at most ", limits.dimensions, " are read"));
  }
  return ReadList<SymbolicInt>(list, ReadSymbolicInt);
}

}  // namespace

absl::StatusOr<TensorMeta> ReadTensorMeta(const Cursor& json, const Limits& limits) {
  constexpr int64_t kStrided = 7;
  TensorMeta meta;
  ASSIGN_OR_RETURN(const Cursor dtype, json.Field("dtype"));
  ASSIGN_OR_RETURN(meta.dtype, dtype.Whole());
  ASSIGN_OR_RETURN(meta.sizes, ReadSizes(json, "sizes", limits));
  ASSIGN_OR_RETURN(meta.strides, ReadSizes(json, "strides", limits));
  if (meta.sizes.size() != meta.strides.size()) {
    return json.Error(
        absl::StrCat("has ", meta.sizes.size(), " sizes and ", meta.strides.size(), " strides"));
  }
  ASSIGN_OR_RETURN(const Cursor offset, json.Field("storage_offset"));
  ASSIGN_OR_RETURN(meta.offset, ReadSymbolicInt(offset));
  ASSIGN_OR_RETURN(meta.requires_grad, json.FieldBool("requires_grad"));
  ASSIGN_OR_RETURN(const Cursor layout, json.Field("layout"));
  ASSIGN_OR_RETURN(const int64_t kind, layout.Whole());
  if (kind != kStrided) {
    return layout.Error(absl::StrCat("is ", kind, "; strided tensors (", kStrided, ") are read"));
  }
  return meta;
}

}  // namespace mantissa::models
