#include "tests/server/rpc/fake_worker_service.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/hash.h"
#include "base/token.h"
#include "mantissa/internal/v1/worker.grpc.pb.h"

namespace mantissa::rpc {
namespace {

using internal::v1::BlobChunk;
using internal::v1::ServerCommand;
using internal::v1::WorkerReport;

constexpr int64_t kChunkBytes = 1000;

bool IsLast(const WorkerReport& report) {
  return report.has_succeeded() || report.has_failed() || report.has_cancelled() ||
         report.has_inspected();
}

}  // namespace

class FakeWorkerService::Service : public internal::v1::WorkerService::Service {
 public:
  explicit Service(FakeWorkerService& fake) : fake_(fake) {
    // Not a path: a test's folder may be deeper than the 107 characters that a socket allows.
    fake_.address_ = absl::StrCat("unix-abstract:mantissa-", RandomToken(16));
  }

  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(fake_.address_, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    absl::MutexLock lock(&mutex_);
    stopping_ = false;
    server_ = builder.BuildAndStart();
  }
  void Stop() {
    std::unique_ptr<grpc::Server> server;
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      server = std::move(server_);
    }
    if (server != nullptr) server->Shutdown(std::chrono::system_clock::now());
  }

  grpc::Status GetTask(grpc::ServerContext* context, const internal::v1::GetTaskRequest*,
                       internal::v1::Task* task) override {
    grpc::Status status = Authenticate(*context);
    if (!status.ok()) return status;
    *task = fake_.task_;
    return grpc::Status::OK;
  }

  grpc::Status ReadBlob(grpc::ServerContext* context, const internal::v1::ReadBlobRequest* request,
                        grpc::ServerWriter<BlobChunk>* writer) override {
    grpc::Status status = Authenticate(*context);
    if (!status.ok()) return status;
    std::string bytes;
    {
      absl::MutexLock lock(&mutex_);
      auto found = blobs_.find(request->sha256());
      if (found == blobs_.end()) return {grpc::StatusCode::NOT_FOUND, "no such blob"};
      bytes = found->second;
    }
    if (fake_.blob_lies_) bytes.back() ^= 1;
    return Send(bytes, request->offset(), std::exchange(fake_.break_blob_after_, 0), *writer);
  }

  grpc::Status ReadArtifact(grpc::ServerContext* context,
                            const internal::v1::ReadArtifactRequest* request,
                            grpc::ServerWriter<BlobChunk>* writer) override {
    grpc::Status status = Authenticate(*context);
    if (!status.ok()) return status;
    absl::ReleasableMutexLock lock(&mutex_);
    auto found = artifacts_.find(request->name());
    if (found == artifacts_.end()) return {grpc::StatusCode::NOT_FOUND, "no such artifact"};
    std::string bytes = found->second;
    lock.Release();
    return Send(bytes, 0, 0, *writer);
  }

  grpc::Status WriteArtifact(grpc::ServerContext* context,
                             grpc::ServerReader<internal::v1::WriteArtifactRequest>* reader,
                             internal::v1::WriteArtifactResponse* response) override {
    grpc::Status status = Authenticate(*context);
    if (!status.ok()) return status;
    internal::v1::WriteArtifactRequest message;
    if (!reader->Read(&message) || !message.has_header()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "no header"};
    }
    const std::string name = message.header().name();
    std::string bytes;
    while (reader->Read(&message)) bytes += message.chunk();
    if (context->IsCancelled()) return {grpc::StatusCode::CANCELLED, "cut off"};
    response->set_size_bytes(static_cast<int64_t>(bytes.size()));
    response->set_sha256(Sha256Hex(bytes));
    absl::MutexLock lock(&mutex_);
    artifacts_[name] = std::move(bytes);
    return grpc::Status::OK;
  }

  grpc::Status Report(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<ServerCommand, WorkerReport>* stream) override {
    grpc::Status status = Authenticate(*context);
    if (!status.ok()) return status;
    {
      absl::MutexLock lock(&mutex_);
      ++streams_;
    }
    WorkerReport report;
    while (stream->Read(&report)) {
      ServerCommand command;
      {
        absl::MutexLock lock(&mutex_);
        if (stopping_) return {grpc::StatusCode::UNAVAILABLE, "stopping"};
        if (disowned_) return {grpc::StatusCode::UNAUTHENTICATED, "the attempt is over"};
        if (!Take(report, command)) return {grpc::StatusCode::OUT_OF_RANGE, "gap"};
      }
      if (command.cancel() || command.acknowledged() > 0) stream->Write(command);
    }
    return grpc::Status::OK;
  }

  // Returns whether the report's number fits.
  bool Take(const WorkerReport& report, ServerCommand& command)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    command.set_cancel(cancel_);
    if (report.number() == 0) {
      ++signs_of_life_;
      return true;
    }
    const int64_t kept = static_cast<int64_t>(reports_.size());
    const int64_t known = kept + static_cast<int64_t>(unacknowledged_.size());
    if (report.number() <= kept) {
      ++repeats_;
    } else if (report.number() <= known) {
      // Sent again after a break, as it must be.
    } else if (report.number() == known + 1) {
      unacknowledged_.push_back(report);
    } else {
      ADD_FAILURE() << "report " << report.number() << " after " << known;
      return false;
    }
    const bool full =
        acknowledge_every_ > 0 && static_cast<int>(unacknowledged_.size()) >= acknowledge_every_;
    if (full || (acknowledge_every_ > 0 && IsLast(report))) {
      reports_.insert(reports_.end(), unacknowledged_.begin(), unacknowledged_.end());
      unacknowledged_.clear();
      command.set_acknowledged(static_cast<int64_t>(reports_.size()));
    }
    return true;
  }

  grpc::Status Authenticate(const grpc::ServerContext& context) {
    auto value = [&context](const char* key) {
      auto found = context.client_metadata().find(key);
      return found == context.client_metadata().end()
                 ? std::string()
                 : std::string(found->second.data(), found->second.size());
    };
    absl::MutexLock lock(&mutex_);
    const bool known = value("authorization") == absl::StrCat("Bearer ", kToken) &&
                       value("mantissa-task") == kTask;
    if (known && !disowned_) return grpc::Status::OK;
    return {grpc::StatusCode::UNAUTHENTICATED, "not a valid token"};
  }

  static grpc::Status Send(const std::string& bytes, int64_t offset, int64_t break_after,
                           grpc::ServerWriter<BlobChunk>& writer) {
    const int64_t start = offset;
    for (; offset < static_cast<int64_t>(bytes.size()); offset += kChunkBytes) {
      if (break_after > 0 && offset - start >= break_after) {
        return {grpc::StatusCode::UNAVAILABLE, "broken off"};
      }
      BlobChunk chunk;
      chunk.set_data(bytes.substr(offset, kChunkBytes));
      if (!writer.Write(chunk)) return {grpc::StatusCode::CANCELLED, "cut off"};
    }
    return grpc::Status::OK;
  }

  FakeWorkerService& fake_;
  absl::Mutex mutex_;
  std::unique_ptr<grpc::Server> server_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancel_ ABSL_GUARDED_BY(mutex_) = false;
  bool disowned_ ABSL_GUARDED_BY(mutex_) = false;
  int acknowledge_every_ ABSL_GUARDED_BY(mutex_) = 1;
  int repeats_ ABSL_GUARDED_BY(mutex_) = 0;
  int signs_of_life_ ABSL_GUARDED_BY(mutex_) = 0;
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<WorkerReport> reports_ ABSL_GUARDED_BY(mutex_);
  std::vector<WorkerReport> unacknowledged_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> blobs_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> artifacts_ ABSL_GUARDED_BY(mutex_);
};

FakeWorkerService::FakeWorkerService() : service_(std::make_unique<Service>(*this)) { Start(); }
FakeWorkerService::~FakeWorkerService() { Stop(); }

void FakeWorkerService::Start() { service_->Start(); }
void FakeWorkerService::Stop() { service_->Stop(); }

std::string FakeWorkerService::AddBlob(std::string bytes) {
  std::string sha256 = Sha256Hex(bytes);
  absl::MutexLock lock(&service_->mutex_);
  service_->blobs_[sha256] = std::move(bytes);
  return sha256;
}
void FakeWorkerService::set_acknowledge_every(int reports) {
  absl::MutexLock lock(&service_->mutex_);
  service_->acknowledge_every_ = reports;
}
void FakeWorkerService::Cancel() {
  absl::MutexLock lock(&service_->mutex_);
  service_->cancel_ = true;
}
void FakeWorkerService::Disown() {
  absl::MutexLock lock(&service_->mutex_);
  service_->disowned_ = true;
}
std::vector<WorkerReport> FakeWorkerService::reports() const {
  absl::MutexLock lock(&service_->mutex_);
  return service_->reports_;
}
int FakeWorkerService::repeats() const {
  absl::MutexLock lock(&service_->mutex_);
  return service_->repeats_;
}
int FakeWorkerService::signs_of_life() const {
  absl::MutexLock lock(&service_->mutex_);
  return service_->signs_of_life_;
}
int FakeWorkerService::streams() const {
  absl::MutexLock lock(&service_->mutex_);
  return service_->streams_;
}
std::map<std::string, std::string> FakeWorkerService::artifacts() const {
  absl::MutexLock lock(&service_->mutex_);
  return service_->artifacts_;
}
void FakeWorkerService::AddArtifact(const std::string& name, const std::string& bytes) {
  absl::MutexLock lock(&service_->mutex_);
  service_->artifacts_[name] = bytes;
}
bool FakeWorkerService::WaitFor(
    const std::function<bool(const std::vector<WorkerReport>&)>& condition,
    absl::Duration limit) const {
  auto holds = [&] {
    service_->mutex_.AssertHeld();
    return condition(service_->reports_);
  };
  absl::MutexLock lock(&service_->mutex_);
  return service_->mutex_.AwaitWithTimeout(absl::Condition(&holds), limit);
}
bool FakeWorkerService::WaitForEnd(absl::Duration limit) const {
  return WaitFor(
      [](const std::vector<WorkerReport>& reports) {
        return !reports.empty() && IsLast(reports.back());
      },
      limit);
}

}  // namespace mantissa::rpc
