#include "server/rpc/worker_channel.h"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/status.h"
#include "mantissa/internal/v1/worker.grpc.pb.h"
#include "server/rpc/report_queue.h"

namespace mantissa::rpc {
namespace {

using internal::v1::BlobChunk;
using internal::v1::ServerCommand;
using internal::v1::WorkerReport;
using internal::v1::WorkerService;

constexpr size_t kChunkBytes = size_t{1} << 20;
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(1);
constexpr absl::Duration kCallLimit = absl::Seconds(30);
// A task has the whole plan: more than the API's usual message.
constexpr int kMaxMessageBytes = 256 << 20;

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// Whether the server may be away, or was cut off in the middle, rather than have said no.
bool IsBreak(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "unknown";
}

std::shared_ptr<grpc::Channel> MakeChannel(const WorkerChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  // A proxy of the environment has no business between a worker and its server.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (options.connected >= 0) {
    return grpc::CreateCustomInsecureChannelFromFd("mantissad", options.connected, arguments);
  }
  return grpc::CreateCustomChannel(options.server, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

class WorkerChannel::Impl {
 public:
  explicit Impl(WorkerChannelOptions options)
      : options_(std::move(options)),
        channel_(MakeChannel(options_)),
        stub_(WorkerService::NewStub(channel_)),
        last_contact_(RealClock().Monotonic()) {}

  ~Impl() {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      if (stream_context_ != nullptr) stream_context_->TryCancel();
    }
    if (thread_.joinable()) thread_.join();
  }

  absl::StatusOr<internal::v1::Task> GetTask() {
    internal::v1::GetTaskRequest request;
    request.set_pid(getpid());
    request.set_host(HostName());
    internal::v1::Task task;
    absl::Status status = Retry("GetTask", [&] {
      grpc::ClientContext context;
      Prepare(context);
      context.set_deadline(absl::ToChronoTime(RealClock().Now() + kCallLimit));
      return FromGrpc(stub_->GetTask(&context, request, &task));
    });
    if (!status.ok()) return status;
    return task;
  }

  absl::Status ReadBlob(const std::string& sha256, int64_t size_bytes, const std::string& path) {
    ASSIGN_OR_RETURN(auto file, RealFileSystem().OpenForAppend(path, /*truncate=*/true));
    Sha256 hash;
    absl::Status disk;
    RETURN_IF_ERROR(Retry("ReadBlob", [&] {
      grpc::ClientContext context;
      Prepare(context);
      internal::v1::ReadBlobRequest request;
      request.set_sha256(sha256);
      request.set_offset(file->size());  // goes on where it broke
      auto reader = stub_->ReadBlob(&context, request);
      const int64_t most = size_bytes == kAnySize ? INT64_MAX : size_bytes;
      absl::Status status = Copy(*reader, context, *file, most, &hash, disk);
      return disk.ok() ? status : absl::OkStatus();
    }));
    RETURN_IF_ERROR(disk);
    if ((size_bytes != kAnySize && file->size() != size_bytes) || hash.Finish() != sha256) {
      return absl::DataLossError(absl::StrCat("blob ", sha256, ": the ", file->size(),
                                              " bytes that the server sent are not its own."));
    }
    return absl::OkStatus();
  }

  absl::Status ReadArtifact(const std::string& name, const std::string& path) {
    absl::Status disk;
    RETURN_IF_ERROR(Retry("ReadArtifact", [&] {
      auto file = RealFileSystem().OpenForAppend(path, /*truncate=*/true);
      disk = file.status();
      if (!disk.ok()) return absl::OkStatus();
      grpc::ClientContext context;
      Prepare(context);
      internal::v1::ReadArtifactRequest request;
      request.set_name(name);
      auto reader = stub_->ReadArtifact(&context, request);
      absl::Status status = Copy(*reader, context, **file, INT64_MAX, nullptr, disk);
      return disk.ok() ? status : absl::OkStatus();
    }));
    return disk;
  }

  absl::Status WriteArtifact(const std::string& name, const std::string& path, bool hidden,
                             absl::Duration patience) {
    ASSIGN_OR_RETURN(auto file, RealFileSystem().OpenForRead(path));
    absl::Status disk;
    std::string sha256;
    internal::v1::WriteArtifactResponse response;
    RETURN_IF_ERROR(Retry(
        "WriteArtifact",
        [&] {
          grpc::ClientContext context;
          Prepare(context);
          auto writer = stub_->WriteArtifact(&context, &response);
          internal::v1::WriteArtifactRequest message;
          message.mutable_header()->set_name(name);
          message.mutable_header()->set_hidden(hidden);
          bool open = writer->Write(message);
          Sha256 hash;
          for (int64_t offset = 0; open && offset < file->size();) {
            std::string chunk(std::min<int64_t>(kChunkBytes, file->size() - offset), '\0');
            disk = file->ReadAt(offset, absl::MakeSpan(chunk.data(), chunk.size()));
            if (!disk.ok()) {
              context.TryCancel();
              writer->Finish();
              return absl::OkStatus();
            }
            offset += static_cast<int64_t>(chunk.size());
            hash.Update(chunk);
            message.set_chunk(std::move(chunk));
            open = writer->Write(message);
          }
          sha256 = hash.Finish();
          writer->WritesDone();
          return FromGrpc(writer->Finish());
        },
        patience));
    RETURN_IF_ERROR(disk);
    if (response.sha256() != sha256) {
      return absl::DataLossError(
          absl::StrCat("artifact ", name, ": the server has other bytes than were sent."));
    }
    return absl::OkStatus();
  }

  void StartReporting() {
    MANTISSA_CHECK(!thread_.joinable());
    thread_ = std::thread([this] { KeepStreaming(); });
  }

  absl::Status Report(WorkerReport report) {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Impl::MayPush));
    if (!health_.ok()) return health_;
    queue_.Push(std::move(report));
    return absl::OkStatus();
  }

  absl::Status Drain() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Impl::IsDrained));
    return queue_.empty() ? absl::OkStatus() : health_;
  }

  bool cancelled() const { return cancelled_; }

  absl::Status health() const {
    absl::MutexLock lock(&mutex_);
    return health_;
  }

 private:
  using Stream = grpc::ClientReaderWriter<WorkerReport, ServerCommand>;

  bool MayPush() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !health_.ok() || cancelled_ || queue_.bytes() < options_.max_pending_bytes;
  }
  bool IsDrained() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !health_.ok() || queue_.empty();
  }
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || stream_broken_ || queue_.HasUnsent();
  }

  void Prepare(grpc::ClientContext& context) const {
    context.AddMetadata("authorization", absl::StrCat("Bearer ", options_.token));
    context.AddMetadata("mantissa-task", options_.task);
  }

  // Runs `call` until it succeeds or trying again is of no use.
  absl::Status Retry(const char* what, const std::function<absl::Status()>& call,
                     absl::Duration patience = absl::InfiniteDuration()) {
    const absl::Duration limit = std::min(patience, options_.reconnect_limit);
    const absl::Duration start = RealClock().Monotonic();
    absl::Duration pause = kFirstPause;
    while (true) {
      absl::Status status = call();
      if (status.ok() || !IsBreak(status)) return status;
      if (RealClock().Monotonic() - start > limit) return GivenUp(status, limit);
      RETURN_IF_ERROR(health());
      LogWarning(what, ": ", status.message(), "; trying again");
      Pause(pause);
      pause = std::min(2 * pause, kLongestPause);
    }
  }

  // Between two attempts. Without a connection it waits for one: gRPC reads from a socket only
  // while a thread waits for something on the channel, so a new connection would not come about
  // during a sleep.
  void Pause(absl::Duration pause) {
    if (channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) {
      RealClock().SleepFor(pause);
    } else {
      channel_->WaitForConnected(absl::ToChronoTime(RealClock().Now() + pause));
    }
  }

  absl::Status GivenUp(const absl::Status& last, absl::Duration limit) const {
    return absl::UnavailableError(absl::StrCat("no server at ", options_.server, " for ",
                                               absl::FormatDuration(limit),
                                               ", the limit; the last error: ", last.message()));
  }

  // Appends what `reader` gives to `file`; at most `max_bytes` in all. An error of the disk goes
  // into `disk`.
  static absl::Status Copy(grpc::ClientReader<BlobChunk>& reader, grpc::ClientContext& context,
                           AppendableFile& file, int64_t max_bytes, Sha256* hash,
                           absl::Status& disk) {
    BlobChunk chunk;
    while (reader.Read(&chunk)) {
      if (static_cast<int64_t>(chunk.data().size()) > max_bytes - file.size()) {
        disk = absl::DataLossError(
            absl::StrCat("the server sends more than the ", max_bytes, " bytes declared."));
      } else {
        disk = file.Append(chunk.data());
      }
      if (!disk.ok()) {
        context.TryCancel();
        break;
      }
      if (hash != nullptr) hash->Update(chunk.data());
    }
    return FromGrpc(reader.Finish());
  }

  // The reporting thread: one stream after the other.
  void KeepStreaming() {
    absl::Duration pause = kFirstPause;
    while (true) {
      const absl::Duration opened = RealClock().Monotonic();
      absl::Status status = RunStream();
      if (status.ok()) status = absl::UnavailableError("the server closed the stream");
      if (!MayStreamAgain(status)) return;
      if (RealClock().Monotonic() - opened > kLongestPause) {
        LogWarning("connection to the server lost: ", status.message(), "; trying again");
        pause = kFirstPause;
      }
      Pause(pause);
      pause = std::min(2 * pause, kLongestPause);
    }
  }

  // After a stream that ended with `status`; sets health_ where there is no use in another one.
  bool MayStreamAgain(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    queue_.Rewind();
    if (stopping_) return false;
    // A server whose disk is full cannot keep reports. They wait here until there is room.
    if (!IsBreak(status) && !absl::IsResourceExhausted(status)) {
      health_ = status;
      return false;
    }
    if (RealClock().Monotonic() - last_contact_ > options_.reconnect_limit) {
      health_ = GivenUp(status, options_.reconnect_limit);
      return false;
    }
    return true;
  }

  absl::Status RunStream() {
    grpc::ClientContext context;
    Prepare(context);
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return absl::OkStatus();
      stream_context_ = &context;
      stream_broken_ = false;
      last_acknowledgement_ = RealClock().Monotonic();
    }
    std::unique_ptr<Stream> stream = stub_->Report(&context);
    std::thread reader([this, &stream] { ReadCommands(*stream); });
    // Where the server has ended the stream, cancelling would hide why.
    if (WriteReports(*stream)) context.TryCancel();
    reader.join();
    absl::Status status = FromGrpc(stream->Finish());
    absl::MutexLock lock(&mutex_);
    stream_context_ = nullptr;
    return status;
  }

  void ReadCommands(Stream& stream) {
    ServerCommand command;
    while (stream.Read(&command)) {
      absl::MutexLock lock(&mutex_);
      queue_.Acknowledge(command.acknowledged());
      if (command.cancel()) cancelled_ = true;
      last_contact_ = last_acknowledgement_ = RealClock().Monotonic();
    }
    absl::MutexLock lock(&mutex_);
    stream_broken_ = true;
  }

  // Sends reports as they come, and a sign of life where none does, until the stream breaks (false)
  // or is to be ended (true).
  bool WriteReports(Stream& stream) {
    WorkerReport alive;
    alive.mutable_alive();
    if (!stream.Write(alive)) return false;
    while (true) {
      WorkerReport next = alive;
      {
        absl::MutexLock lock(&mutex_);
        RealClock().AwaitUntil(mutex_, absl::Condition(this, &Impl::HasWork),
                               RealClock().Now() + options_.alive_interval);
        if (stopping_ || IsStalled()) return true;
        if (stream_broken_) return false;
        if (const WorkerReport* report = queue_.NextToSend()) next = *report;
      }
      if (!stream.Write(next)) return false;
    }
  }

  bool IsStalled() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const absl::Duration now = RealClock().Monotonic();
    if (queue_.empty()) {
      last_contact_ = last_acknowledgement_ = now;
      return false;
    }
    return now - last_acknowledgement_ > options_.stall_limit;
  }

  const WorkerChannelOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<WorkerService::Stub> stub_;
  std::thread thread_;
  std::atomic<bool> cancelled_ = false;

  mutable absl::Mutex mutex_;
  ReportQueue queue_ ABSL_GUARDED_BY(mutex_);
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stream_broken_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* stream_context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // Monotonic times. Contact: the server answered, or there was nothing to answer on a sound
  // stream.
  absl::Duration last_contact_ ABSL_GUARDED_BY(mutex_);
  absl::Duration last_acknowledgement_ ABSL_GUARDED_BY(mutex_);
};

WorkerChannel::WorkerChannel(WorkerChannelOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
WorkerChannel::~WorkerChannel() = default;

absl::StatusOr<internal::v1::Task> WorkerChannel::GetTask() { return impl_->GetTask(); }
absl::Status WorkerChannel::ReadBlob(const std::string& sha256, int64_t size_bytes,
                                     const std::string& path) {
  return impl_->ReadBlob(sha256, size_bytes, path);
}
absl::Status WorkerChannel::ReadArtifact(const std::string& name, const std::string& path) {
  return impl_->ReadArtifact(name, path);
}
absl::Status WorkerChannel::WriteArtifact(const std::string& name, const std::string& path,
                                          bool hidden, absl::Duration patience) {
  return impl_->WriteArtifact(name, path, hidden, patience);
}
void WorkerChannel::StartReporting() { impl_->StartReporting(); }
absl::Status WorkerChannel::Report(internal::v1::WorkerReport report) {
  return impl_->Report(std::move(report));
}
absl::Status WorkerChannel::Drain() { return impl_->Drain(); }
bool WorkerChannel::cancelled() const { return impl_->cancelled(); }
absl::Status WorkerChannel::health() const { return impl_->health(); }

}  // namespace mantissa::rpc
