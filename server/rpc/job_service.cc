#include "server/rpc/job_service.h"

#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/jobs/names.h"
#include "server/rpc/event_source.h"
#include "server/rpc/file_source.h"
#include "server/rpc/log_source.h"
#include "server/rpc/page.h"
#include "server/rpc/pull_stream.h"
#include "server/rpc/unary.h"

namespace mantissa::rpc {
grpc::ServerUnaryReactor* JobService::SubmitJob(grpc::CallbackServerContext* context,
                                                const v1::SubmitJobRequest* request,
                                                v1::Job* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::SubmitJobRequest& r) { return parts_.desk.Submit(r); });
}

grpc::ServerUnaryReactor* JobService::GetJob(grpc::CallbackServerContext* context,
                                             const v1::GetJobRequest* request, v1::Job* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::GetJobRequest& r) { return parts_.desk.Get(r.id()); });
}

grpc::ServerUnaryReactor* JobService::ListJobs(grpc::CallbackServerContext* context,
                                               const v1::ListJobsRequest* request,
                                               v1::ListJobsResponse* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::ListJobsRequest& r) { return List(r); });
}

grpc::ServerUnaryReactor* JobService::CancelJob(grpc::CallbackServerContext* context,
                                                const v1::CancelJobRequest* request,
                                                v1::Job* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::CancelJobRequest& r) { return parts_.desk.Cancel(r.id()); });
}

grpc::ServerUnaryReactor* JobService::GetJobMemory(grpc::CallbackServerContext* context,
                                                   const v1::GetJobMemoryRequest* request,
                                                   v1::JobMemory* response) {
  return RunUnary(context, executor_, request, response,
                  [this](const v1::GetJobMemoryRequest& r) { return parts_.desk.Memory(r.id()); });
}

absl::StatusOr<v1::ListJobsResponse> JobService::List(const v1::ListJobsRequest& request) {
  ASSIGN_OR_RETURN(const int limit, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::string position, ParsePageToken("jobs", request.page_token()));
  int64_t before = 0;
  if (!position.empty() && (!absl::SimpleAtoi(position, &before) || before <= 0)) {
    return InvalidField("page_token", "no position", "a next_page_token", "Start without one.");
  }
  jobs::JobFilter filter{.name_prefix = request.name_prefix()};
  RETURN_IF_ERROR(jobs::CheckText("name_prefix", request.name_prefix(), 128));
  for (const int state : request.states()) {
    if (!v1::JobState_IsValid(state)) {
      return InvalidField("states", absl::StrCat(state), "states that the API names",
                          "See docs/api.md.");
    }
    if (state != v1::JOB_STATE_UNSPECIFIED) {
      filter.states.push_back(static_cast<v1::JobState>(state));
    }
  }
  if (request.labels_size() > jobs::kMaxLabels) {
    return InvalidField("labels", absl::StrCat(request.labels_size(), " labels"),
                        absl::StrCat("at most ", jobs::kMaxLabels, ", as many as a job has"),
                        "Leave some out.");
  }
  for (const auto& [key, value] : request.labels()) {
    RETURN_IF_ERROR(jobs::CheckLabel("labels", key, value));
    filter.labels.emplace(key, value);
  }
  ASSIGN_OR_RETURN(jobs::JobPage page, parts_.desk.List(filter, before, limit));
  v1::ListJobsResponse response;
  for (v1::Job& job : page.jobs) *response.add_jobs() = std::move(job);
  if (page.next_before > 0) {
    response.set_next_page_token(MakePageToken("jobs", absl::StrCat(page.next_before)));
  }
  return response;
}

grpc::ServerWriteReactor<v1::JobEvent>* JobService::WatchJob(grpc::CallbackServerContext*,
                                                             const v1::WatchJobRequest* request) {
  return StartPullStream<v1::JobEvent>(
      executor_, std::make_unique<EventSource>(parts_.desk, parts_.notifier, request->id(),
                                               request->after_sequence()));
}

grpc::ServerWriteReactor<v1::LogChunk>* JobService::GetLogs(grpc::CallbackServerContext*,
                                                            const v1::GetLogsRequest* request) {
  // An id that is none finds no job, so the path is not used.
  return StartPullStream<v1::LogChunk>(
      executor_, std::make_unique<LogSource>(
                     parts_.desk, parts_.notifier, parts_.files,
                     JoinPath(parts_.data_dir, "jobs", request->id(), "log"), *request));
}

grpc::ServerWriteReactor<v1::ArtifactChunk>* JobService::FetchArtifact(
    grpc::CallbackServerContext*, const v1::FetchArtifactRequest* request) {
  using Source = FileSource<v1::ArtifactChunk>;
  const auto open = [this, id = request->id(), name = request->name(), offset = request->offset()]()
      -> absl::StatusOr<std::unique_ptr<PullSource<v1::ArtifactChunk>>> {
    RETURN_IF_ERROR(parts_.desk.Get(id));
    ASSIGN_OR_RETURN(const jobs::StoredArtifact found, parts_.artifacts.Find(id, name));
    v1::ArtifactChunk first;
    *first.mutable_artifact() = found.artifact;
    return Source::Open(parts_.files, found.path, offset, std::move(first));
  };
  return StartPullStream<v1::ArtifactChunk>(executor_, MakeLazySource<v1::ArtifactChunk>(open));
}

}  // namespace mantissa::rpc
