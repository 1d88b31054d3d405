#include "server/engine/worker_model.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "planner/graph/graph.h"
#include "planner/wire/graph_proto.h"
#include "server/engine/model_check.h"
#include "server/engine/worker_sandbox.h"
#include "server/models/limits.h"
#include "server/models/pt2.h"

namespace mantissa::engine {
namespace {

// For reading a file, which takes far less of a model that is one.
constexpr int64_t kReadMemory = int64_t{1} << 30;
constexpr int64_t kReadSeconds = 12;
// For trying it, and more for each byte of weights.
constexpr int64_t kCheckSeconds = 12;
constexpr int64_t kBytesASecond = int64_t{50} << 20;
// What the server keeps of a model.
constexpr size_t kMaxGraphBytes = size_t{64} << 20;

absl::Status TooMuchMemory() {
  return absl::ResourceExhaustedError(absl::StrCat("reading it takes more than ", kReadMemory,
                                                   " bytes of memory, the limit. Use a smaller "
                                                   "model."));
}

// Of tensors that have several names, those that the graph has not.
void AddShared(const std::vector<models::StoredTensor>& tensors,
               internal::v1::InspectedModel& model) {
  for (const models::StoredTensor& tensor : tensors) {
    if (tensor.names.size() < 2) continue;
    v1::SharedTensor& shared = *model.add_shared_tensors();
    shared.set_name(tensor.name());
    shared.mutable_other_names()->Add(tensor.names.begin() + 1, tensor.names.end());
  }
}

// Its values may take half of the machine's memory, and its weights and gradients as much again.
absl::Status Try(const models::Archive& archive, int64_t file_bytes) {
  ModelCheckOptions options;
  const int64_t memory = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  if (memory > 0) options.max_bytes = std::min(options.max_bytes, memory / 2);
  LimitResources({.memory_bytes = 2 * options.max_bytes + 2 * file_bytes,
                  .cpu_seconds = kCheckSeconds + file_bytes / kBytesASecond});
  return CheckModel(archive, options);
}

absl::StatusOr<internal::v1::InspectedModel> Read(const v1::CreateModelRequest& request,
                                                  const std::string& path) {
  ASSIGN_OR_RETURN(const models::Archive archive, models::ReadPt2(path, models::Limits()));
  RETURN_IF_ERROR(Try(archive, request.size_bytes()));
  internal::v1::InspectedModel model;
  *model.mutable_graph() = planner::GraphToProto(archive.graph);
  model.mutable_graph()->set_name(request.name());
  if (model.graph().ByteSizeLong() > kMaxGraphBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("its graph of ", archive.graph.nodes().size(), " operators takes ",
                     model.graph().ByteSizeLong(), " bytes; allowed at most ", kMaxGraphBytes,
                     ". Use a model of fewer operators."));
  }
  model.set_source(v1::MODEL_SOURCE_PT2);
  model.set_producer(archive.torch_version.empty() ? "torch"
                                                   : absl::StrCat("torch ", archive.torch_version));
  AddShared(archive.parameters, model);
  AddShared(archive.buffers, model);
  model.add_outputs(archive.graph.output());
  LogInfo("read the model ", request.name(), ": ", archive.graph.nodes().size(), " operators");
  return model;
}

}  // namespace

absl::StatusOr<internal::v1::InspectedModel> InspectModel(const v1::CreateModelRequest& request,
                                                          const std::string& path) {
  LimitResources({.memory_bytes = kReadMemory, .cpu_seconds = kReadSeconds});
  try {
    return Read(request, path);
  } catch (const std::bad_alloc&) {
    return TooMuchMemory();
  }
}

absl::StatusOr<planner::UploadedGraph> ImportModel(const std::string& path) {
  ASSIGN_OR_RETURN(models::Archive archive, models::ReadPt2(path, models::Limits()));
  return std::make_shared<const planner::Graph>(std::move(archive.graph));
}

}  // namespace mantissa::engine
