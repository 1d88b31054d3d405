// server/models/call_reader.h
//
// Resolves the names in an operator call of a program.

#ifndef MANTISSA_SERVER_MODELS_CALL_READER_H_
#define MANTISSA_SERVER_MODELS_CALL_READER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "server/models/call.h"
#include "server/models/metadata.h"
#include "server/models/program.h"
#include "server/models/storages.h"

namespace mantissa::models {

// The tensors of a program by name, as far as it has run.
using TensorNamesById = absl::flat_hash_map<std::string, TensorId>;

// InvalidArgument for operators that are not ATen's, undefined names and arguments that no operator
// here takes. Reads the tensors' values, which may emit operators.
absl::StatusOr<Call> ReadCall(const ProgramGraph& graph, const ProgramNode& node,
                              const TensorNamesById& tensors, Metadata& metadata,
                              Storages& storages);

// The step by which output `index` of a split, chunk or unbind comes from its input.
ViewStep PartStep(const Call& call, size_t index);

// A graph that is called by an operator of torch.ops.higher_order.
struct NestedCall {
  const ProgramGraph* graph = nullptr;
  bool without_gradient = false;
  // Names outside and inside.
  std::vector<std::pair<std::string, std::string>> tensors;
  // Names inside and outside.
  std::vector<std::pair<std::string, std::string>> results;
};

// InvalidArgument for other operators than wrap_with_set_grad_enabled and wrap_with_autocast that
// is off. Points into `node`.
absl::StatusOr<NestedCall> ReadNestedCall(const ProgramNode& node);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_CALL_READER_H_
