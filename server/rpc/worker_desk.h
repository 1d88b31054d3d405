// server/rpc/worker_desk.h
//
// Lets workers in by their tokens and passes what they say to jobs or inspections, by the kind of
// their task.
//
//   ASSIGN_OR_RETURN(WorkerId worker, desk.Authenticate(*context));
//   ASSIGN_OR_RETURN(internal::v1::Task task, desk.TaskOf(worker));
//
// Thread-safe.
#ifndef MANTISSA_SERVER_RPC_WORKER_DESK_H_
#define MANTISSA_SERVER_RPC_WORKER_DESK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "mantissa/internal/v1/worker.pb.h"
#include "server/jobs/inspections.h"
#include "server/jobs/job_runner.h"
#include "server/jobs/worker_pool.h"

namespace mantissa::rpc {

struct WorkerId {
  std::string task;
  int32_t attempt = 0;
};

class WorkerDesk {
 public:
  WorkerDesk(jobs::WorkerPool& pool, jobs::JobRunner& runner, jobs::Inspections& inspections)
      : pool_(pool), runner_(runner), inspections_(inspections) {}

  // From the metadata `authorization` and `mantissa-task`. UNAUTHENTICATED if they do not fit.
  absl::StatusOr<WorkerId> Authenticate(const grpc::CallbackServerContext& context);

  absl::StatusOr<internal::v1::Task> TaskOf(const WorkerId& worker);
  // OK if the task names the blob, else PERMISSION_DENIED.
  absl::Status CheckMayRead(const WorkerId& worker, absl::string_view sha256);
  // Returns the number up to which reports are kept.
  absl::StatusOr<int64_t> Report(const WorkerId& worker,
                                 const std::vector<internal::v1::WorkerReport>& reports);

  jobs::WorkerPool& pool() { return pool_; }

 private:
  jobs::WorkerPool& pool_;
  jobs::JobRunner& runner_;
  jobs::Inspections& inspections_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_WORKER_DESK_H_
