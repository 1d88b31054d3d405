// server/models/import.h
//
// Makes Mantissa's graph of a program that torch.export wrote.
//
//   ASSIGN_OR_RETURN(Imported imported, ImportProgram("resnet", program, tensors, limits));
//   AttachLoss(imported.graph, {});
//
// What comes out changes nothing in place, has no symbols but the batch and no operator on which
// the output does not depend (asserts, counters of batches). Sizes come from the program's own
// metadata. Where the stored parameters are float16, bfloat16 or float64, these types become
// float32 all over the graph: what is trained is kept in float32, and the assignment decides which
// tensors are narrower.
//
// Everything is checked: undefined names, cycles (a name read before it is made), wrong kinds of
// arguments, sizes that overflow. Errors name the operator.

#ifndef MANTISSA_SERVER_MODELS_IMPORT_H_
#define MANTISSA_SERVER_MODELS_IMPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "planner/graph/graph.h"
#include "server/models/limits.h"
#include "server/models/program.h"
#include "server/models/stored_tensor.h"

namespace mantissa::models {

struct Imported {
  planner::Graph graph;
  // By the graph's parameters, buffers and constants: indices into StoredTensors::tensors.
  std::vector<size_t> parameters, buffers, constants;
};

// `name` becomes the graph's.
absl::StatusOr<Imported> ImportProgram(absl::string_view name, const Program& program,
                                       const StoredTensors& stored, const Limits& limits);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_IMPORT_H_
