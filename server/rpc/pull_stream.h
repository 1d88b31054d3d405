// server/rpc/pull_stream.h
//
// A stream from the server that asks its source for the next messages only when the client has
// taken those before: a slow reader costs one batch of memory, wherever it stands.
//
//   return StartPullStream<v1::JobEvent>(executor, std::make_unique<EventSource>(...));
//
// A cancelled stream ends at once, also while its source has nothing to give.
#ifndef MANTISSA_SERVER_RPC_PULL_STREAM_H_
#define MANTISSA_SERVER_RPC_PULL_STREAM_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "grpcpp/alarm.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/rpc/executor.h"
#include "server/rpc/status.h"

namespace mantissa::rpc {

template <typename Message>
struct Pulled {
  std::vector<Message> messages;
  // Nothing comes after them.
  bool ended = false;
  // Ask again after this, if not woken before; for what tells nobody that it is new.
  std::optional<absl::Duration> poll_after;
};

template <typename Message>
class PullSource {
 public:
  virtual ~PullSource() = default;
  // The next messages; none and not ended means that it will wake the stream. Called on the
  // executor, one call at a time.
  virtual absl::StatusOr<Pulled<Message>> Pull() = 0;
  // Keeps `wake`, which may be called from any thread until Close() returns.
  virtual void Open(std::function<void()> wake) { static_cast<void>(wake); }
  virtual void Close() {}
};

template <typename Message>
class PullStream : public grpc::ServerWriteReactor<Message> {
 public:
  PullStream(Executor& executor, std::unique_ptr<PullSource<Message>> source)
      : executor_(executor), source_(std::move(source)) {}

  // Keeps itself alive until OnDone.
  void Begin(std::shared_ptr<PullStream> self) {
    self_ = std::move(self);
    source_->Open([this] { Wake(); });
    Wake();
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) return FinishLocked(grpc::Status::CANCELLED);
    batch_.pop_front();
    Advance();
  }

  void OnCancel() override {
    absl::MutexLock lock(&mutex_);
    alarm_.reset();
    cancelled_ = true;
    Advance();
  }

  void OnDone() override {
    source_->Close();
    {
      absl::MutexLock lock(&mutex_);
      alarm_.reset();
    }
    self_.reset();  // tasks of the executor may still hold it
  }

 private:
  void Wake() {
    absl::MutexLock lock(&mutex_);
    woken_ = true;
    Advance();
  }

  // Does what comes next: write, finish, pull or wait.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_ || writing_) return;
    if (cancelled_) return FinishLocked(grpc::Status::CANCELLED);
    if (pulling_) return;
    if (!batch_.empty()) {
      writing_ = true;
      this->StartWrite(&batch_.front());
    } else if (ended_) {
      FinishLocked(grpc::Status::OK);
    } else if (woken_) {
      woken_ = false;
      pulling_ = true;
      alarm_.reset();
      executor_.Post([this, self = self_] { DoPull(); });
    }
  }

  void DoPull() {
    absl::StatusOr<Pulled<Message>> pulled = source_->Pull();
    absl::MutexLock lock(&mutex_);
    pulling_ = false;
    if (finished_) return;
    if (!pulled.ok()) return FinishLocked(ToGrpcStatus(pulled.status()));
    for (Message& message : pulled->messages) batch_.push_back(std::move(message));
    ended_ = pulled->ended;
    if (!batch_.empty()) {
      woken_ = true;  // there may be more behind them
    } else if (pulled->poll_after.has_value()) {
      SetAlarm(*pulled->poll_after);
    }
    Advance();
  }

  void SetAlarm(absl::Duration after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    alarm_ = std::make_unique<grpc::Alarm>();
    alarm_->Set(absl::ToChronoTime(RealClock().Now() + after), [this, self = self_](bool ok) {
      if (ok) executor_.Post([this, self] { Wake(); });
    });
  }

  void FinishLocked(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return;
    finished_ = true;
    this->Finish(status);
  }

  Executor& executor_;
  const std::unique_ptr<PullSource<Message>> source_;
  std::shared_ptr<PullStream> self_;
  absl::Mutex mutex_;
  std::deque<Message> batch_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool pulling_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

template <typename Message>
grpc::ServerWriteReactor<Message>* StartPullStream(Executor& executor,
                                                   std::unique_ptr<PullSource<Message>> source) {
  auto stream = std::make_shared<PullStream<Message>>(executor, std::move(source));
  PullStream<Message>* reactor = stream.get();
  reactor->Begin(std::move(stream));
  return reactor;
}

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_PULL_STREAM_H_
