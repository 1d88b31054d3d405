// server/models/expression.h
//
// Sizes that torch.export wrote as expressions of sympy, Mul(Integer(16), Symbol('s77',
// positive=True, integer=True)), as what Mantissa's graph knows: a number, or a number times the
// batch.
//
//   Symbols symbols;
//   symbols.batch.insert("s77");
//   ASSIGN_OR_RETURN(Dim dim, ToDim(size, symbols));
//
// An expression is evaluated at a dozen batch sizes. It is a number if all give the same, and a
// multiple of the batch if all are in that proportion; anything else is refused.

#ifndef MANTISSA_SERVER_MODELS_EXPRESSION_H_
#define MANTISSA_SERVER_MODELS_EXPRESSION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"
#include "server/models/program.h"

namespace mantissa::models {

struct Symbols {
  // Those that are the batch.
  absl::flat_hash_set<std::string> batch;
  // What the others were at export.
  absl::flat_hash_map<std::string, int64_t> numbers;
};

// Names of the symbols in `expression`. InvalidArgument where it can't be read.
absl::StatusOr<std::vector<std::string>> SymbolsOf(absl::string_view expression);

// InvalidArgument says which expression it is and what it would have to be.
absl::StatusOr<planner::Dim> ToDim(const SymbolicInt& size, const Symbols& symbols);

// What a size was at export: its number or its hint.
absl::StatusOr<int64_t> AtExport(const SymbolicInt& size);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_EXPRESSION_H_
