#include "server/rpc/worker_desk.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace mantissa::rpc {
namespace {

bool IsInspection(const WorkerId& worker) {
  return absl::StartsWith(worker.task, jobs::Inspections::kPrefix);
}

std::string MetadataOf(const grpc::CallbackServerContext& context, const char* key) {
  const auto it = context.client_metadata().find(key);
  if (it == context.client_metadata().end()) return "";
  return std::string(it->second.data(), it->second.size());
}

bool Names(const internal::v1::Task& task, absl::string_view sha256) {
  if (task.has_inspect_model()) return task.inspect_model().request().sha256() == sha256;
  if (task.has_train() && task.train().model().sha256() == sha256) return true;
  const auto& files =
      task.has_train() ? task.train().dataset().files() : task.inspect().request().files();
  for (const v1::DatasetFile& file : files) {
    if (file.sha256() == sha256) return true;
  }
  return task.has_train() && task.train().spec().training().init_sha256() == sha256;
}

}  // namespace

absl::StatusOr<WorkerId> WorkerDesk::Authenticate(const grpc::CallbackServerContext& context) {
  WorkerId worker{.task = MetadataOf(context, "mantissa-task")};
  const std::string authorization = MetadataOf(context, "authorization");
  absl::string_view token = authorization;
  absl::ConsumePrefix(&token, "Bearer ");
  ASSIGN_OR_RETURN(worker.attempt, pool_.Authenticate(worker.task, token));
  return worker;
}

absl::StatusOr<internal::v1::Task> WorkerDesk::TaskOf(const WorkerId& worker) {
  if (IsInspection(worker)) return inspections_.TaskOf(worker.task);
  return runner_.TaskOf(worker.task, worker.attempt);
}

absl::Status WorkerDesk::CheckMayRead(const WorkerId& worker, absl::string_view sha256) {
  ASSIGN_OR_RETURN(const internal::v1::Task task, TaskOf(worker));
  if (!sha256.empty() && Names(task, sha256)) return absl::OkStatus();
  return absl::PermissionDeniedError("The task does not name this blob.");
}

absl::StatusOr<int64_t> WorkerDesk::Report(const WorkerId& worker,
                                           const std::vector<internal::v1::WorkerReport>& reports) {
  pool_.Heard(worker.task);
  if (IsInspection(worker)) return inspections_.Report(worker.task, reports);
  return runner_.Report(worker.task, worker.attempt, reports);
}

}  // namespace mantissa::rpc
