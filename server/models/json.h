// server/models/json.h
//
// JSON that nobody vouches for: read by events under limits, of which only what is needed is kept.
//
//   ASSIGN_OR_RETURN(Json json, ParseJson("models/model.json", text, limits,
//   {"module_call_graph"})); Cursor top(json, "models/model.json"); ASSIGN_OR_RETURN(Cursor nodes,
//   top.Field("nodes")); ASSIGN_OR_RETURN(absl::string_view name, nodes.At(0).FieldText("name"));
//
// A Cursor knows where it is, so that every error names the place: "models/model.json:
// nodes[0].name is a number; a text is needed". Cursors point to those above them: they live on the
// stack of the reader and must not outlive them.

#ifndef MANTISSA_SERVER_MODELS_JSON_H_
#define MANTISSA_SERVER_MODELS_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/models/limits.h"

namespace mantissa::models {

struct Json {
  using List = std::vector<Json>;
  // In the file's order; keys are unique.
  using Object = std::vector<std::pair<std::string, Json>>;

  // std::monostate is null.
  std::variant<std::monostate, bool, int64_t, double, std::string, List, Object> value;
};

// InvalidArgument for what is no JSON (NaN is none), for keys that occur twice and for integers
// beyond 64 bits; ResourceExhausted above a limit. `name` is for errors. Values of the keys in
// `ignored` are checked and left out, at whatever depth.
absl::StatusOr<Json> ParseJson(absl::string_view name, absl::string_view text, const Limits& limits,
                               absl::Span<const absl::string_view> ignored);

class Cursor {
 public:
  // `name` is that of the file.
  Cursor(const Json& json, absl::string_view name) : json_(&json), key_(name) {}

  // "models/model.json: graph.nodes[3].target".
  std::string Where() const;
  // InvalidArgument: where this is, `what`, and the remedy.
  absl::Status Error(absl::string_view what) const;

  // The value if it is of that kind. Real takes whole numbers too, and the texts "Infinity" and
  // "-Infinity" that torch.export writes.
  absl::StatusOr<bool> Bool() const;
  absl::StatusOr<int64_t> Whole() const;
  absl::StatusOr<double> Real() const;
  absl::StatusOr<absl::string_view> Text() const;
  // Entries of a list; fields of an object.
  absl::StatusOr<int64_t> ListSize() const;
  absl::StatusOr<int64_t> FieldCount() const;

  // REQUIRES: a list or an object, and an index below its size.
  Cursor At(int64_t index) const;
  // REQUIRES: as for At, of an object.
  absl::string_view KeyAt(int64_t index) const;
  // A field of an object; an error if it is not there.
  absl::StatusOr<Cursor> Field(absl::string_view key) const;
  // The same, or nothing if it is not there or null.
  absl::StatusOr<std::optional<Cursor>> FindField(absl::string_view key) const;
  // Field and then Text, Whole or Bool.
  absl::StatusOr<absl::string_view> FieldText(absl::string_view key) const;
  absl::StatusOr<bool> FieldBool(absl::string_view key) const;

 private:
  Cursor(const Json& json, const Cursor* above, absl::string_view key, int64_t index)
      : json_(&json), above_(above), key_(key), index_(index) {}

  const Json* json_;
  const Cursor* above_ = nullptr;
  absl::string_view key_;
  int64_t index_ = -1;
};

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_JSON_H_
