// server/models/dtypes.h
//
// Element types as torch.export numbers them, and as Mantissa's graph has them.

#ifndef MANTISSA_SERVER_MODELS_DTYPES_H_
#define MANTISSA_SERVER_MODELS_DTYPES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "planner/graph/graph.h"

namespace mantissa::models {

// InvalidArgument names the type where the graph has none for it: complex numbers, int8, int16...
absl::StatusOr<planner::DType> ToDType(int64_t scalar_type);

}  // namespace mantissa::models

#endif  // MANTISSA_SERVER_MODELS_DTYPES_H_
