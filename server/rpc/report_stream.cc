#include "server/rpc/report_stream.h"

#include <algorithm>
#include <utility>

#include "server/rpc/status.h"

namespace mantissa::rpc {

ReportStream* ReportStream::Start(WorkerDesk& desk, jobs::Notifier& notifier, Executor& executor,
                                  const WorkerId& worker) {
  std::shared_ptr<ReportStream> stream(new ReportStream(desk, notifier, executor, worker));
  ReportStream* reactor = stream.get();
  reactor->self_ = std::move(stream);
  reactor->subscription_ =
      notifier.Subscribe(jobs::WorkerPool::NotifierKey(worker.task), [reactor] {
        reactor->executor_.Post([reactor, self = reactor->self_] { reactor->LookForCancel(); });
      });
  executor.Post([reactor, self = reactor->self_] { reactor->LookForCancel(); });
  reactor->StartRead(&reactor->incoming_);
  return reactor;
}

ReportStream::ReportStream(WorkerDesk& desk, jobs::Notifier& notifier, Executor& executor,
                           const WorkerId& worker)
    : desk_(desk), notifier_(notifier), executor_(executor), worker_(worker) {}

void ReportStream::OnReadDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  reading_ = false;
  if (ok) {
    pending_.push_back(std::move(incoming_));
    incoming_.Clear();
  } else {
    read_all_ = true;
  }
  Advance();
}

void ReportStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  if (finished_) return Finish(status_);
  if (!ok) return FinishLocked(grpc::Status::CANCELLED);
  Advance();
}

void ReportStream::OnCancel() {
  absl::MutexLock lock(&mutex_);
  FinishLocked(grpc::Status::CANCELLED);
}

void ReportStream::OnDone() {
  notifier_.Unsubscribe(subscription_);
  self_.reset();
}

void ReportStream::Advance() {
  if (finished_) return;
  if (!keeping_ && !pending_.empty()) {
    keeping_ = true;
    executor_.Post([this, self = self_] { Keep(); });
  }
  if (!reading_ && !read_all_ && pending_.size() < kMaxPending) {
    reading_ = true;
    StartRead(&incoming_);
  }
  WriteIfNew();
  if (read_all_ && !keeping_ && pending_.empty() && !writing_) FinishLocked(grpc::Status::OK);
}

void ReportStream::WriteIfNew() {
  const bool is_new = acknowledged_ > outgoing_.acknowledged() || (cancel_ && !outgoing_.cancel());
  if (writing_ || !is_new) return;
  outgoing_.set_acknowledged(acknowledged_);
  outgoing_.set_cancel(cancel_);
  writing_ = true;
  StartWrite(&outgoing_);
}

void ReportStream::Keep() {
  std::vector<internal::v1::WorkerReport> batch;
  {
    absl::MutexLock lock(&mutex_);
    batch.swap(pending_);
  }
  const absl::StatusOr<int64_t> kept = desk_.Report(worker_, batch);
  absl::MutexLock lock(&mutex_);
  keeping_ = false;
  if (!kept.ok()) return FinishLocked(ToGrpcStatus(kept.status()));
  acknowledged_ = std::max(acknowledged_, *kept);
  Advance();
}

void ReportStream::LookForCancel() {
  const bool cancel = desk_.pool().CancelRequested(worker_.task);
  absl::MutexLock lock(&mutex_);
  cancel_ = cancel_ || cancel;
  Advance();
}

void ReportStream::FinishLocked(const grpc::Status& status) {
  if (finished_) return;
  finished_ = true;
  status_ = status;
  if (!writing_) Finish(status);
}

}  // namespace mantissa::rpc
