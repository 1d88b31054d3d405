// server/rpc/report_stream.h
//
// A worker's Report stream: reports are kept in batches, then acknowledged; a command to cancel is
// passed down.
//
//   return ReportStream::Start(desk, notifier, executor, *desk.Authenticate(*context));
//
// While a batch is written to disk the next one gathers, so many small reports cost one sync. At
// most kMaxPending reports wait; then reading stops until they are kept.
#ifndef MANTISSA_SERVER_RPC_REPORT_STREAM_H_
#define MANTISSA_SERVER_RPC_REPORT_STREAM_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/support/server_callback.h"
#include "mantissa/internal/v1/worker.pb.h"
#include "server/jobs/notifier.h"
#include "server/rpc/executor.h"
#include "server/rpc/worker_desk.h"

namespace mantissa::rpc {

class ReportStream
    : public grpc::ServerBidiReactor<internal::v1::WorkerReport, internal::v1::ServerCommand> {
 public:
  // Keeps itself alive until the call has ended.
  static ReportStream* Start(WorkerDesk& desk, jobs::Notifier& notifier, Executor& executor,
                             const WorkerId& worker);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  static constexpr size_t kMaxPending = 512;

  ReportStream(WorkerDesk& desk, jobs::Notifier& notifier, Executor& executor,
               const WorkerId& worker);

  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteIfNew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // At once, or when the write under way has ended.
  void FinishLocked(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // On the executor: keeps what is pending.
  void Keep();
  // On the executor: looks whether the worker is to cancel.
  void LookForCancel();

  WorkerDesk& desk_;
  jobs::Notifier& notifier_;
  Executor& executor_;
  const WorkerId worker_;
  jobs::Notifier::Id subscription_ = 0;
  std::shared_ptr<ReportStream> self_;

  absl::Mutex mutex_;
  internal::v1::WorkerReport incoming_;  // of the read under way
  std::vector<internal::v1::WorkerReport> pending_ ABSL_GUARDED_BY(mutex_);
  internal::v1::ServerCommand outgoing_;  // of the write under way
  int64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cancel_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = true;
  bool read_all_ ABSL_GUARDED_BY(mutex_) = false;
  bool keeping_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);  // to finish with, once finished_
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_REPORT_STREAM_H_
