// server/models/inputs.h
//
// What a program starts with: its inputs, and its parameters, buffers and constants as the archive
// holds them.

#ifndef MANTISSA_SERVER_MODELS_INPUTS_H_
#define MANTISSA_SERVER_MODELS_INPUTS_H_

#include <cstddef>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "planner/graph/graph.h"
#include "server/models/call_reader.h"
#include "server/models/metadata.h"
#include "server/models/program.h"
#include "server/models/storages.h"
#include "server/models/stored_tensor.h"

namespace mantissa::models {

// Where the stored tensors are in the graph. Keys and values are indices into
// StoredTensors::tensors.
struct StoredValues {
  absl::btree_map<size_t, TensorId> tensor_of;
  absl::flat_hash_map<planner::ValueId, size_t> stored_of;
};

// Adds them to `graph`, `storages` and `tensors`. Names of one stored tensor become one value. The
// element types of parameters are float32 in `metadata` from now on.
absl::StatusOr<StoredValues> AddInputs(const Program& program, const StoredTensors& stored,
                                       Metadata& metadata, planner::Graph& graph,
                                       Storages& storages, TensorNamesById& tensors);

// What would outlive a step is not kept, so it must not have been written.
absl::Status CheckWrites(const StoredTensors& stored, const StoredValues& values,
                         const Storages& storages);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_INPUTS_H_
