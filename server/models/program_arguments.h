// server/models/program_arguments.h
//
// The unions of torch.export's JSON, {"as_ints": [1, 2]}, and what stands in them.

#ifndef MANTISSA_SERVER_MODELS_PROGRAM_ARGUMENTS_H_
#define MANTISSA_SERVER_MODELS_PROGRAM_ARGUMENTS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/models/json.h"
#include "server/models/limits.h"
#include "server/models/program.h"

namespace mantissa::models {

// An object of one field: its key and value. Points into the Cursor that it was read from.
struct Union {
  absl::string_view tag;
  Cursor value;
};
absl::StatusOr<Union> ReadUnion(const Cursor& json);

// Any argument but a graph.
absl::StatusOr<ProgramArgument> ReadArgument(const Union& tagged);

// {"as_int": 3} or {"as_expr": {"expr_str": ..., "hint": {"as_int": 3}}}.
absl::StatusOr<SymbolicInt> ReadSymbolicInt(const Cursor& json);

// A tensor's metadata, as it stands in a program and in the list of stored tensors.
absl::StatusOr<TensorMeta> ReadTensorMeta(const Cursor& json, const Limits& limits);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_PROGRAM_ARGUMENTS_H_
