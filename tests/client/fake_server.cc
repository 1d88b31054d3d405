#include "tests/client/fake_server.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/hash.h"
#include "base/status.h"
#include "client/cc/payload.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"
#include "mantissa/v1/dataset.grpc.pb.h"
#include "mantissa/v1/job.grpc.pb.h"
#include "mantissa/v1/model.grpc.pb.h"
#include "mantissa/v1/planner.grpc.pb.h"
#include "mantissa/v1/server.grpc.pb.h"

namespace mantissa {
namespace {

constexpr int64_t kChunkBytes = 1000;

// Payloads that are google.rpc details become the details of the wire.
grpc::Status ToRpc(const absl::Status& status) {
  google::rpc::Status rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& bytes) {
    auto* detail = rich.add_details();
    detail->set_type_url(std::string(type));
    detail->set_value(std::string(bytes));
  });
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), rich.message(),
                      rich.SerializeAsString());
}

grpc::Status Broken() { return {grpc::StatusCode::UNAVAILABLE, "the fake server breaks off"}; }

// The first of `breaks`, taken out; -1 if there is none.
int64_t TakeBreak(std::deque<int64_t>& breaks) {
  if (breaks.empty()) return -1;
  const int64_t first = breaks.front();
  breaks.pop_front();
  return first;
}

// Counts a call and gives the error that a test wants for it, or OK.
grpc::Status Enter(FakeState& state, const std::string& method, grpc::ServerContext* context)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mutex) {
  ++state.calls[method];
  const auto token = context->client_metadata().find("authorization");
  state.last_token = token == context->client_metadata().end()
                         ? ""
                         : std::string(token->second.data(), token->second.size());
  auto& failures = state.failures[method];
  if (failures.empty()) return grpc::Status::OK;
  const absl::Status error = failures.front();
  failures.pop_front();
  return ToRpc(error);
}

grpc::Status NoJob(const std::string& id) {
  return {grpc::StatusCode::NOT_FOUND, absl::StrCat("there is no job ", id)};
}

class FakeJobService : public v1::JobService::Service {
 public:
  explicit FakeJobService(FakeState& state) : state_(state) {}

  grpc::Status SubmitJob(grpc::ServerContext* context, const v1::SubmitJobRequest* request,
                         v1::Job* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "SubmitJob", context); !entered.ok()) return entered;
    state_.submitted.push_back(*request);
    // The job that a test has prepared, or a new one.
    if (state_.jobs.empty()) {
      v1::Job& job = state_.jobs["job-new"].job;
      job.set_id("job-new");
      job.set_state(v1::JOB_STATE_PENDING);
      *job.mutable_spec() = request->spec();
    }
    *response = state_.jobs.begin()->second.job;
    return grpc::Status::OK;
  }

  grpc::Status GetJob(grpc::ServerContext* context, const v1::GetJobRequest* request,
                      v1::Job* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "GetJob", context); !entered.ok()) return entered;
    const auto job = state_.jobs.find(request->id());
    if (job == state_.jobs.end()) return NoJob(request->id());
    *response = job->second.job;
    return grpc::Status::OK;
  }

  grpc::Status GetJobMemory(grpc::ServerContext* context, const v1::GetJobMemoryRequest* request,
                            v1::JobMemory* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "GetJobMemory", context); !entered.ok()) return entered;
    const auto job = state_.jobs.find(request->id());
    if (job == state_.jobs.end()) return NoJob(request->id());
    if (!job->second.memory.has_measured()) {
      return {grpc::StatusCode::FAILED_PRECONDITION, "it was not measured yet"};
    }
    *response = job->second.memory;
    return grpc::Status::OK;
  }

  // Pages of the asked-for size, by number.
  grpc::Status ListJobs(grpc::ServerContext* context, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "ListJobs", context); !entered.ok()) return entered;
    state_.listed.push_back(*request);
    auto job = request->page_token().empty() ? state_.jobs.begin()
                                             : state_.jobs.find(request->page_token());
    for (; job != state_.jobs.end() && response->jobs_size() < request->page_size(); ++job) {
      *response->add_jobs() = job->second.job;
    }
    if (job != state_.jobs.end()) response->set_next_page_token(job->first);
    return grpc::Status::OK;
  }

  grpc::Status CancelJob(grpc::ServerContext* context, const v1::CancelJobRequest* request,
                         v1::Job* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "CancelJob", context); !entered.ok()) return entered;
    const auto job = state_.jobs.find(request->id());
    if (job == state_.jobs.end()) return NoJob(request->id());
    job->second.job.set_state(v1::JOB_STATE_CANCELLED);
    *response = job->second.job;
    return grpc::Status::OK;
  }

  grpc::Status WatchJob(grpc::ServerContext* context, const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::JobEvent>* writer) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "WatchJob", context); !entered.ok()) return entered;
    state_.asked_from.push_back(request->after_sequence());
    const auto job = state_.jobs.find(request->id());
    if (job == state_.jobs.end()) return NoJob(request->id());
    int64_t left = TakeBreak(state_.watch_breaks);
    for (const v1::JobEvent& event : job->second.events) {
      if (event.sequence() <= request->after_sequence()) continue;
      if (left == 0) return Broken();
      --left;
      writer->Write(event);
    }
    if (job->second.job.has_end_time()) return grpc::Status::OK;
    const auto over = [&] { return state_.stopping || context->IsCancelled(); };
    while (!over()) {
      state_.mutex.AwaitWithTimeout(absl::Condition(&state_.stopping), absl::Milliseconds(10));
    }
    return Broken();
  }

  grpc::Status GetLogs(grpc::ServerContext* context, const v1::GetLogsRequest* request,
                       grpc::ServerWriter<v1::LogChunk>* writer) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "GetLogs", context); !entered.ok()) return entered;
    state_.asked_from.push_back(request->offset());
    const std::string& log = state_.jobs[request->id()].log;
    int64_t left = TakeBreak(state_.log_breaks);
    for (int64_t at = request->offset(); at < static_cast<int64_t>(log.size());) {
      if (left == 0) return Broken();
      --left;
      v1::LogChunk chunk;
      chunk.set_data(log.substr(at, 10));
      at += static_cast<int64_t>(chunk.data().size());
      chunk.set_next_offset(at);
      writer->Write(chunk);
    }
    return grpc::Status::OK;
  }

  grpc::Status FetchArtifact(grpc::ServerContext* context, const v1::FetchArtifactRequest* request,
                             grpc::ServerWriter<v1::ArtifactChunk>* writer) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "FetchArtifact", context); !entered.ok()) return entered;
    state_.asked_from.push_back(request->offset());
    const std::string& bytes = state_.jobs[request->id()].artifacts[request->name()];
    int64_t left = TakeBreak(state_.fetch_breaks);
    for (int64_t at = request->offset(); at < static_cast<int64_t>(bytes.size());
         at += kChunkBytes) {
      if (left == 0) return Broken();
      --left;
      v1::ArtifactChunk chunk;
      chunk.set_data(bytes.substr(at, kChunkBytes));
      writer->Write(chunk);
    }
    return grpc::Status::OK;
  }

 private:
  FakeState& state_;
};

class FakeDatasetService : public v1::DatasetService::Service {
 public:
  explicit FakeDatasetService(FakeState& state) : state_(state) {}

  grpc::Status QueryBlob(grpc::ServerContext* context, const v1::QueryBlobRequest* request,
                         v1::QueryBlobResponse* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "QueryBlob", context); !entered.ok()) return entered;
    const auto blob = state_.blobs.find(request->sha256());
    if (blob == state_.blobs.end()) return grpc::Status::OK;
    response->set_committed_bytes(static_cast<int64_t>(blob->second.bytes.size()));
    response->set_complete(response->committed_bytes() == request->size_bytes());
    return grpc::Status::OK;
  }

  // Keeps what came before a break, as a server does.
  grpc::Status UploadBlob(grpc::ServerContext* context,
                          grpc::ServerReader<v1::UploadBlobRequest>* reader,
                          v1::UploadBlobResponse* response) override {
    int64_t left = -1;
    {
      absl::MutexLock lock(&state_.mutex);
      if (auto entered = Enter(state_, "UploadBlob", context); !entered.ok()) return entered;
      left = TakeBreak(state_.upload_breaks);
    }
    v1::UploadBlobRequest message;
    if (!reader->Read(&message) || !message.has_header()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "the first message has no header"};
    }
    const v1::UploadBlobHeader header = message.header();
    std::string bytes;
    while (reader->Read(&message)) {
      bytes += message.chunk();
      if (left >= 0 && static_cast<int64_t>(bytes.size()) > left) {
        Keep(header, bytes.substr(0, left));
        return Broken();
      }
    }
    return Finish(header, bytes, response);
  }

  grpc::Status CreateDataset(grpc::ServerContext* context, const v1::CreateDatasetRequest* request,
                             v1::Dataset* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "CreateDataset", context); !entered.ok()) return entered;
    state_.created.push_back(*request);
    response->set_name(request->name());
    for (const auto& file : request->files()) {
      *response->add_files() = file;
      response->set_size_bytes(response->size_bytes() + file.size_bytes());
    }
    response->set_format("npz");
    state_.datasets[request->name()] = *response;
    return grpc::Status::OK;
  }

  grpc::Status ListDatasets(grpc::ServerContext* context, const v1::ListDatasetsRequest*,
                            v1::ListDatasetsResponse* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "ListDatasets", context); !entered.ok()) return entered;
    for (const auto& [name, dataset] : state_.datasets) *response->add_datasets() = dataset;
    return grpc::Status::OK;
  }

  grpc::Status DeleteDataset(grpc::ServerContext* context, const v1::DeleteDatasetRequest*,
                             v1::DeleteDatasetResponse*) override {
    absl::MutexLock lock(&state_.mutex);
    return Enter(state_, "DeleteDataset", context);
  }

 private:
  void Keep(const v1::UploadBlobHeader& header, const std::string& bytes) {
    absl::MutexLock lock(&state_.mutex);
    FakeBlob& blob = state_.blobs[header.sha256()];
    blob.size = header.size_bytes();
    blob.bytes += bytes;
  }

  grpc::Status Finish(const v1::UploadBlobHeader& header, const std::string& bytes,
                      v1::UploadBlobResponse* response) {
    {
      absl::MutexLock lock(&state_.mutex);
      const std::string& before = state_.blobs[header.sha256()].bytes;
      if (header.offset() != static_cast<int64_t>(before.size())) {
        return {grpc::StatusCode::OUT_OF_RANGE, "not the offset that QueryBlob gave"};
      }
    }
    Keep(header, bytes);
    absl::MutexLock lock(&state_.mutex);
    const std::string& all = state_.blobs[header.sha256()].bytes;
    if (Sha256Hex(all) != header.sha256()) {
      state_.blobs.erase(header.sha256());
      return {grpc::StatusCode::DATA_LOSS, "the bytes have another hash"};
    }
    response->set_committed_bytes(static_cast<int64_t>(all.size()));
    response->set_complete(true);
    return grpc::Status::OK;
  }

  FakeState& state_;
};

class FakePlannerService : public v1::PlannerService::Service {
 public:
  explicit FakePlannerService(FakeState& state) : state_(state) {}

  grpc::Status Plan(grpc::ServerContext* context, const v1::PlanRequest*,
                    v1::PlanResponse* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "Plan", context); !entered.ok()) return entered;
    *response = state_.plan;
    return grpc::Status::OK;
  }

 private:
  FakeState& state_;
};

class FakeServerService : public v1::ServerService::Service {
 public:
  explicit FakeServerService(FakeState& state) : state_(state) {}

  grpc::Status GetServerInfo(grpc::ServerContext* context, const v1::GetServerInfoRequest*,
                             v1::ServerInfo* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (auto entered = Enter(state_, "GetServerInfo", context); !entered.ok()) return entered;
    response->set_version("0.0.fake");
    response->add_api_versions("mantissa.v1");
    response->set_max_running_jobs(2);
    return grpc::Status::OK;
  }

 private:
  FakeState& state_;
};

}  // namespace

class FakeServer::Services {
 public:
  explicit Services(FakeState& state)
      : job_(state), dataset_(state), planner_(state), server_(state) {}

  // Returns the port.
  int Start(const std::string& address) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.RegisterService(&job_);
    builder.RegisterService(&dataset_);
    builder.RegisterService(&planner_);
    builder.RegisterService(&server_);
    running_ = builder.BuildAndStart();
    MANTISSA_CHECK(running_ != nullptr, address);
    return port;
  }

  void Stop() {
    if (running_ == nullptr) return;
    running_->Shutdown(absl::ToChronoTime(absl::Now()));
    running_->Wait();
    running_ = nullptr;
  }

 private:
  FakeJobService job_;
  FakeDatasetService dataset_;
  FakePlannerService planner_;
  FakeServerService server_;
  std::unique_ptr<grpc::Server> running_;
};

FakeServer::FakeServer() : services_(std::make_unique<Services>(state_)) {
  address_ = absl::StrCat("127.0.0.1:", services_->Start("127.0.0.1:0"));
}

FakeServer::~FakeServer() { Stop(); }

void FakeServer::Stop() {
  {
    absl::MutexLock lock(&state_.mutex);
    state_.stopping = true;
  }
  services_->Stop();
}

void FakeServer::Restart() {
  Stop();
  {
    absl::MutexLock lock(&state_.mutex);
    state_.stopping = false;
  }
  services_->Start(address_);
}

void FakeServer::AddJob(const v1::Job& job, const std::vector<v1::JobEvent>& events) {
  absl::MutexLock lock(&state_.mutex);
  state_.jobs[job.id()].job = job;
  state_.jobs[job.id()].events = events;
}

void FakeServer::SetMemory(const std::string& id, const v1::JobMemory& memory) {
  absl::MutexLock lock(&state_.mutex);
  state_.jobs[id].memory = memory;
}

void FakeServer::SetLog(const std::string& id, const std::string& log) {
  absl::MutexLock lock(&state_.mutex);
  state_.jobs[id].log = log;
}

void FakeServer::AddArtifact(const std::string& id, const std::string& name,
                             const std::string& bytes, const std::string& declared) {
  absl::MutexLock lock(&state_.mutex);
  state_.jobs[id].artifacts[name] = bytes;
  v1::Artifact* artifact = state_.jobs[id].job.add_artifacts();
  artifact->set_name(name);
  artifact->set_size_bytes(static_cast<int64_t>(bytes.size()));
  artifact->set_sha256(declared.empty() ? Sha256Hex(bytes) : declared);
}

void FakeServer::BreakWatchAfter(std::deque<int64_t> events) {
  absl::MutexLock lock(&state_.mutex);
  state_.watch_breaks = std::move(events);
}

void FakeServer::BreakLogsAfter(std::deque<int64_t> chunks) {
  absl::MutexLock lock(&state_.mutex);
  state_.log_breaks = std::move(chunks);
}

void FakeServer::BreakFetchAfter(std::deque<int64_t> chunks) {
  absl::MutexLock lock(&state_.mutex);
  state_.fetch_breaks = std::move(chunks);
}

void FakeServer::BreakUploadAfter(std::deque<int64_t> bytes) {
  absl::MutexLock lock(&state_.mutex);
  state_.upload_breaks = std::move(bytes);
}

void FakeServer::FailNext(const std::string& method, const absl::Status& error) {
  absl::MutexLock lock(&state_.mutex);
  state_.failures[method].push_back(error);
}

int FakeServer::Calls(const std::string& method) {
  absl::MutexLock lock(&state_.mutex);
  return state_.calls[method];
}

absl::Status BadRequestError(const std::string& message, const std::string& field,
                             const std::string& description) {
  google::rpc::BadRequest details;
  details.add_field_violations()->set_field(field);
  details.mutable_field_violations(0)->set_description(description);
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(absl::StrCat(client::kTypeUrlPrefix, "google.rpc.BadRequest"),
                    absl::Cord(details.SerializeAsString()));
  return status;
}

absl::Status MissingResourceError(const std::string& type, const std::string& name) {
  google::rpc::ResourceInfo details;
  details.set_resource_type(type);
  details.set_resource_name(name);
  absl::Status status = absl::NotFoundError(absl::StrCat("there is no ", type, " ", name));
  status.SetPayload(absl::StrCat(client::kTypeUrlPrefix, "google.rpc.ResourceInfo"),
                    absl::Cord(details.SerializeAsString()));
  return status;
}

}  // namespace mantissa
