// server/models/metadata.h
//
// What a program says of its tensors and symbols, as the graph has it: element types, shapes by the
// batch, layouts.
//
//   ASSIGN_OR_RETURN(Metadata metadata, Metadata::Make(program, limits));
//   ASSIGN_OR_RETURN(CallOutput conv, metadata.Describe(program.graph, "conv2d"));
//
// A symbol that is the first dimension of an input is the batch; all others are the numbers that
// they were at export.

#ifndef MANTISSA_SERVER_MODELS_METADATA_H_
#define MANTISSA_SERVER_MODELS_METADATA_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"
#include "server/models/call.h"
#include "server/models/expression.h"
#include "server/models/limits.h"
#include "server/models/program.h"

namespace mantissa::models {

class Metadata {
 public:
  // InvalidArgument where no input's first dimension is a symbol.
  static absl::StatusOr<Metadata> Make(const Program& program, const Limits& limits);

  // From now on `dtype` is float32.
  void Widen(planner::DType dtype) { widened_.insert(dtype); }
  planner::DType Widened(planner::DType dtype) const {
    return widened_.contains(dtype) ? planner::DType::kFloat32 : dtype;
  }

  // Of the tensor `name` of `graph`, which is the program's or one inside it.
  absl::StatusOr<CallOutput> Describe(const ProgramGraph& graph, absl::string_view name);
  // Of a symbolic whole number.
  absl::StatusOr<planner::Dim> Symbol(const ProgramGraph& graph, absl::string_view name);
  // Element types that a program names; widened.
  absl::StatusOr<planner::DType> ElementType(int64_t scalar_type) const;

 private:
  explicit Metadata(const Limits& limits) : limits_(limits) {}

  absl::Status FindBatch(const Program& program);
  absl::Status FindNumbers(const ProgramGraph& graph);
  absl::StatusOr<planner::Dim> ToDimCached(const SymbolicInt& size);

  const Limits& limits_;
  Symbols symbols_;
  absl::flat_hash_set<planner::DType> widened_;
  // By expression.
  absl::flat_hash_map<std::string, planner::Dim> dims_;
};

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_METADATA_H_
