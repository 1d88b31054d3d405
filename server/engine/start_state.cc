#include "server/engine/start_state.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status.h"
#include "server/engine/archive_state.h"
#include "server/models/pt2.h"

namespace mantissa::engine {
namespace {

// Whether `graph` was made of `archived`, with a loss added and parameters frozen.
bool HasSameTensors(const planner::Graph& graph, const planner::Graph& archived) {
  const auto are_same = [&](const std::vector<planner::ValueId>& ours,
                            const std::vector<planner::ValueId>& theirs) {
    if (ours.size() != theirs.size()) return false;
    for (size_t i = 0; i < ours.size(); ++i) {
      const planner::Value &a = graph.value(ours[i]), &b = archived.value(theirs[i]);
      if (a.name != b.name || a.dtype != b.dtype || a.shape != b.shape) return false;
    }
    return true;
  };
  return are_same(graph.parameters(), archived.parameters()) &&
         are_same(graph.buffers(), archived.buffers()) &&
         are_same(graph.constants(), archived.constants());
}

}  // namespace

absl::StatusOr<ModelState> StartState(const planner::Graph& graph, const TrainingOptions& options) {
  if (options.archive_path.empty() && options.init_path.empty()) {
    return InitialState(graph, options.model, options.seed);
  }
  ModelState state = EmptyState(graph);
  if (!options.archive_path.empty()) {
    ASSIGN_OR_RETURN(const models::Archive archive,
                     models::ReadPt2(options.archive_path, models::Limits()));
    if (!HasSameTensors(graph, archive.graph)) {
      return absl::InvalidArgumentError(absl::StrCat("the archive does not hold the tensors of ",
                                                     graph.name(), ". Push the model again."));
    }
    ASSIGN_OR_RETURN(state, ArchiveState(archive));
  }
  if (!options.init_path.empty()) {
    RETURN_IF_ERROR(LoadState(RealFileSystem(), options.init_path, graph, state));
  }
  return state;
}

}  // namespace mantissa::engine
