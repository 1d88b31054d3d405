// The tensors of an uploaded model.
//
//   ASSIGN_OR_RETURN(const models::Archive archive, models::ReadPt2(path, {}));
//   ASSIGN_OR_RETURN(ModelState state, ArchiveState(archive));
#ifndef MANTISSA_SERVER_ENGINE_ARCHIVE_STATE_H_
#define MANTISSA_SERVER_ENGINE_ARCHIVE_STATE_H_

#include "absl/status/statusor.h"
#include "server/engine/model_state.h"
#include "server/models/pt2.h"

namespace mantissa::engine {

// Weights, buffers and constants as the archive has them, by the order of its graph, with the other
// names of those that are tied and with what its state dict has besides. InvalidArgument names the
// tensor whose bytes are damaged.
absl::StatusOr<ModelState> ArchiveState(const models::Archive& archive);

}  // namespace mantissa::engine

#endif  // MANTISSA_SERVER_ENGINE_ARCHIVE_STATE_H_
