// server/rpc/push_stream.h
//
// A stream from the client whose messages go to a sink one at a time; the next is read when the
// sink has taken the one before.
//
//   return StartPushStream<v1::UploadBlobRequest>(context, executor, response,
//                                                 std::make_unique<BlobSink>(blobs));
#ifndef MANTISSA_SERVER_RPC_PUSH_STREAM_H_
#define MANTISSA_SERVER_RPC_PUSH_STREAM_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/rpc/executor.h"
#include "server/rpc/status.h"

namespace mantissa::rpc {

// Called on the executor, one call at a time.
template <typename Request, typename Response>
class PushSink {
 public:
  virtual ~PushSink() = default;
  // An error ends the call with it.
  virtual absl::Status Take(const Request& request) = 0;
  // The client has sent everything.
  virtual absl::StatusOr<Response> Finish() = 0;
  // The stream broke off, or Take failed.
  virtual void BreakOff() = 0;
};

template <typename Request, typename Response>
class PushStream : public grpc::ServerReadReactor<Request> {
 public:
  PushStream(grpc::CallbackServerContext* context, Executor& executor, Response* response,
             std::unique_ptr<PushSink<Request, Response>> sink)
      : context_(context), executor_(executor), response_(response), sink_(std::move(sink)) {
    this->StartRead(&request_);
  }

  // Only one read or task is under way at any time, so no lock is needed.
  void OnReadDone(bool ok) override {
    if (ok) {
      executor_.Post([this] { TakeRequest(); });
    } else if (context_->IsCancelled()) {
      executor_.Post([this] {
        sink_->BreakOff();
        this->Finish(grpc::Status::CANCELLED);
      });
    } else {
      executor_.Post([this] { FinishSink(); });
    }
  }

  void OnDone() override { delete this; }

 private:
  void TakeRequest() {
    const absl::Status status = sink_->Take(request_);
    if (status.ok()) {
      request_.Clear();
      this->StartRead(&request_);
      return;
    }
    sink_->BreakOff();
    this->Finish(ToGrpcStatus(status));
  }

  void FinishSink() {
    absl::StatusOr<Response> response = sink_->Finish();
    if (response.ok()) *response_ = *std::move(response);
    this->Finish(ToGrpcStatus(response.status()));
  }

  grpc::CallbackServerContext* const context_;
  Executor& executor_;
  Response* const response_;
  const std::unique_ptr<PushSink<Request, Response>> sink_;
  Request request_;
};

template <typename Request, typename Response>
grpc::ServerReadReactor<Request>* StartPushStream(
    grpc::CallbackServerContext* context, Executor& executor, Response* response,
    std::unique_ptr<PushSink<Request, Response>> sink) {
  return new PushStream<Request, Response>(context, executor, response, std::move(sink));
}

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_PUSH_STREAM_H_
