// server/models/write.h
//
// What an operator that works in place writes.

#ifndef MANTISSA_SERVER_MODELS_WRITE_H_
#define MANTISSA_SERVER_MODELS_WRITE_H_

#include "absl/status/statusor.h"
#include "planner/graph/graph.h"
#include "server/models/call.h"
#include "server/models/emitter.h"

namespace mantissa::models {

// Emits the operator that MakeFunctional() made of `call`. The result has the shape and type of
// `target`, which it is written to: unlike elsewhere, a wider argument does not make it wider.
absl::StatusOr<planner::ValueId> ValueToWrite(Call& call, const planner::Value& target,
                                              Emitter& emitter);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_WRITE_H_
