#include "server/rpc/pull_stream.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "mantissa/v1/job.grpc.pb.h"

namespace mantissa::rpc {
namespace {

// Gives chunks of 100 KB for ever, counting them.
class EndlessSource : public PullSource<v1::LogChunk> {
 public:
  EndlessSource(std::atomic<int>& pulled, std::atomic<int>& alive)
      : pulled_(pulled), alive_(alive) {
    ++alive_;
  }
  ~EndlessSource() override { --alive_; }
  absl::StatusOr<Pulled<v1::LogChunk>> Pull() override {
    Pulled<v1::LogChunk> pulled;
    pulled.messages.emplace_back().set_data(std::string(100000, 'x'));
    ++pulled_;
    return pulled;
  }

 private:
  std::atomic<int>& pulled_;
  std::atomic<int>& alive_;
};

// Gives ten events, woken for each by another thread; then nothing, and is never woken.
class TrickleSource : public PullSource<v1::JobEvent> {
 public:
  static constexpr int kEvents = 10;

  ~TrickleSource() override { waker_.join(); }
  absl::StatusOr<Pulled<v1::JobEvent>> Pull() override {
    Pulled<v1::JobEvent> pulled;
    if (ready_ > given_) {
      ++given_;
      pulled.messages.emplace_back();
    }
    return pulled;
  }
  void Open(std::function<void()> wake) override {
    wake_ = std::move(wake);
    waker_ = std::thread([this] {
      for (int i = 0; i < kEvents; ++i) {
        RealClock().SleepFor(absl::Microseconds(300));
        absl::MutexLock lock(&mutex_);
        ++ready_;
        if (!closed_) wake_();
      }
    });
  }
  void Close() override {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }

 private:
  std::function<void()> wake_;
  std::thread waker_;
  std::atomic<int> ready_ = 0;
  int given_ = 0;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// Gives nothing and is never woken.
class QuietSource : public PullSource<v1::JobEvent> {
 public:
  absl::StatusOr<Pulled<v1::JobEvent>> Pull() override { return Pulled<v1::JobEvent>(); }
};

class Service : public v1::JobService::CallbackService {
 public:
  grpc::ServerWriteReactor<v1::LogChunk>* GetLogs(grpc::CallbackServerContext*,
                                                  const v1::GetLogsRequest*) override {
    return StartPullStream<v1::LogChunk>(executor_, std::make_unique<EndlessSource>(pulled, alive));
  }
  grpc::ServerWriteReactor<v1::JobEvent>* WatchJob(grpc::CallbackServerContext*,
                                                   const v1::WatchJobRequest* request) override {
    if (request->id() == "quiet") {
      return StartPullStream<v1::JobEvent>(executor_, std::make_unique<QuietSource>());
    }
    return StartPullStream<v1::JobEvent>(executor_, std::make_unique<TrickleSource>());
  }

  std::atomic<int> pulled = 0, alive = 0;

 private:
  Executor executor_{2, 10};
};

class PullStreamTest : public testing::Test {
 protected:
  PullStreamTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::JobService::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                                        grpc::InsecureChannelCredentials()));
  }
  bool WaitFor(const std::function<bool()>& done) {
    for (int i = 0; i < 500 && !done(); ++i) RealClock().SleepFor(absl::Milliseconds(10));
    return done();
  }

  Service service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::JobService::Stub> stub_;
};

TEST_F(PullStreamTest, ASlowReaderHoldsUpItsSource) {
  grpc::ClientContext context;
  const auto reader = stub_->GetLogs(&context, {});
  v1::LogChunk chunk;
  ASSERT_TRUE(reader->Read(&chunk));
  // Buffers of the network fill, then nothing more is pulled.
  int before = -1;
  ASSERT_TRUE(WaitFor([&] {
    const bool still = before == service_.pulled;
    before = service_.pulled;
    RealClock().SleepFor(absl::Milliseconds(200));
    return still;
  }));
  EXPECT_LT(service_.pulled, 200) << "20 MB";
  ASSERT_TRUE(reader->Read(&chunk));
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(WaitFor([&] { return service_.alive == 0; })) << "the source is freed";
}

TEST_F(PullStreamTest, ACancelledStreamEndsThoughItsSourceIsQuiet) {
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_id("quiet");
  const auto reader = stub_->WatchJob(&context, request);
  RealClock().SleepFor(absl::Milliseconds(50));
  context.TryCancel();
  v1::JobEvent event;
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  // The server can stop: no call is left.
  server_->Shutdown();
  server_->Wait();
}

TEST_F(PullStreamTest, ACancelThatMeetsAWriteEndsTheStreamToo) {
  const auto watch_and_cancel = [this] {
    for (int i = 0; i < 500; ++i) {
      grpc::ClientContext context;
      const auto reader = stub_->WatchJob(&context, {});
      v1::JobEvent event;
      for (int k = 0; k < i % (TrickleSource::kEvents + 1); ++k) reader->Read(&event);
      context.TryCancel();
      reader->Finish();
    }
  };
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) clients.emplace_back(watch_and_cancel);
  for (std::thread& client : clients) client.join();
  // Waits for ever if a call is left.
  server_->Shutdown();
  server_->Wait();
}

}  // namespace
}  // namespace mantissa::rpc
