#include "server/engine/archive_state.h"

#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "absl/types/span.h"
#include "base/status.h"
#include "server/engine/operator_call.h"

namespace mantissa::engine {
namespace {

using planner::ValueId;

absl::Status Read(const models::Archive& archive, const models::StoredTensor& stored,
                  const at::Tensor& tensor) {
  return archive.Read(
      stored, absl::MakeSpan(static_cast<char*>(tensor.mutable_data_ptr()), tensor.nbytes()));
}

absl::Status Read(const models::Archive& archive, const std::vector<models::StoredTensor>& stored,
                  const std::vector<at::Tensor>& tensors) {
  MANTISSA_CHECK(stored.size() == tensors.size());
  for (size_t i = 0; i < stored.size(); ++i) {
    RETURN_IF_ERROR(Read(archive, stored[i], tensors[i]));
  }
  return absl::OkStatus();
}

void NameOthers(const planner::Graph& graph, const std::vector<ValueId>& ids,
                const std::vector<models::StoredTensor>& stored, ModelState& state) {
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string& name = graph.value(ids[i]).name;
    for (const std::string& other : stored[i].names) {
      if (other != name) state.other_names[name].push_back(other);
    }
  }
}

}  // namespace

absl::StatusOr<ModelState> ArchiveState(const models::Archive& archive) {
  const planner::Graph& graph = archive.graph;
  ModelState state = EmptyState(graph);
  RETURN_IF_ERROR(Read(archive, archive.parameters, state.parameters));
  RETURN_IF_ERROR(Read(archive, archive.buffers, state.buffers));
  RETURN_IF_ERROR(Read(archive, archive.constants, state.constants));
  NameOthers(graph, graph.parameters(), archive.parameters, state);
  NameOthers(graph, graph.buffers(), archive.buffers, state);
  for (const models::StoredTensor& unused : archive.unused) {
    const at::Tensor tensor = at::empty(unused.layout.sizes, ScalarTypeOf(unused.dtype));
    RETURN_IF_ERROR(Read(archive, unused, tensor));
    for (const std::string& name : unused.names) state.unused.emplace_back(name, tensor);
  }
  return state;
}

}  // namespace mantissa::engine
