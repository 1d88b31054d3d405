#include "client/cc/client.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "client/cc/channel.h"
#include "client/cc/errors.h"
#include "client/cc/rpc_status.h"
#include "grpcpp/grpcpp.h"
#include "mantissa/v1/dataset.grpc.pb.h"
#include "mantissa/v1/job.grpc.pb.h"
#include "mantissa/v1/model.grpc.pb.h"
#include "mantissa/v1/planner.grpc.pb.h"
#include "mantissa/v1/server.grpc.pb.h"

namespace mantissa::client {

struct Client::Impl {
  ConnectOptions options;
  std::unique_ptr<v1::ServerService::Stub> server;
  std::unique_ptr<v1::ModelService::Stub> model;
  std::unique_ptr<v1::PlannerService::Stub> planner;
  std::unique_ptr<v1::DatasetService::Stub> dataset;
  std::unique_ptr<v1::JobService::Stub> job;

  void Prepare(grpc::ClientContext& context) const {
    if (!options.token.empty()) {
      context.AddMetadata("authorization", absl::StrCat("Bearer ", options.token));
    }
  }

  absl::Status ToStatus(const grpc::Status& status) const {
    return FromRpc(status, options.address);
  }

  // A call that is no stream, up to `attempts` times while the server is unavailable.
  template <typename Response, typename Stub, typename Request>
  absl::StatusOr<Response> Call(
      Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
      const Request& request, int attempts, absl::Duration timeout) const {
    Backoff backoff(options.retry, static_cast<uint64_t>(absl::ToUnixNanos(options.clock->Now())));
    while (true) {
      grpc::ClientContext context;
      Prepare(context);
      // gRPC compares deadlines with the machine's clock.
      context.set_deadline(absl::ToChronoTime(RealClock().Now() + timeout));
      const std::stop_callback cancel(options.stop, [&context] { context.TryCancel(); });
      Response response;
      const absl::Status status = ToStatus((stub.*method)(&context, request, &response));
      if (status.ok()) return response;
      if (options.stop.stop_requested()) return absl::CancelledError("stopped");
      if (!absl::IsUnavailable(status) || --attempts <= 0) return status;
      if (!Pause(*options.clock, options.stop, backoff.Next())) {
        return absl::CancelledError("stopped");
      }
    }
  }

  template <typename Response, typename Stub, typename Request>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    return Call(stub, method, request, options.retry.call_attempts, options.call_timeout);
  }
};

namespace {

// Reads a stream to its end. `context` is the stream's.
template <typename Message>
absl::Status ReadAll(grpc::ClientReader<Message>& reader, grpc::ClientContext& context,
                     const std::string& address, const std::stop_token& stop,
                     absl::FunctionRef<absl::Status(const Message&)> on_message) {
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  absl::Status told = absl::OkStatus();
  Message message;
  while (told.ok() && !stop.stop_requested() && reader.Read(&message)) told = on_message(message);
  if (!told.ok()) context.TryCancel();
  const grpc::Status finished = reader.Finish();
  if (!told.ok()) return told;
  if (stop.stop_requested()) return absl::CancelledError("stopped");
  return FromRpc(finished, address);
}

}  // namespace

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const ConnectOptions& options) {
  ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, MakeChannel(options));
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  if (options.clock == nullptr) impl->options.clock = &RealClock();
  impl->server = v1::ServerService::NewStub(channel);
  impl->model = v1::ModelService::NewStub(channel);
  impl->planner = v1::PlannerService::NewStub(channel);
  impl->dataset = v1::DatasetService::NewStub(channel);
  impl->job = v1::JobService::NewStub(channel);
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

const ConnectOptions& Client::options() const { return impl_->options; }
Clock& Client::clock() const { return *impl_->options.clock; }

absl::StatusOr<v1::ServerInfo> Client::GetServerInfo() {
  return impl_->Call(*impl_->server, &v1::ServerService::Stub::GetServerInfo,
                     v1::GetServerInfoRequest());
}

absl::StatusOr<v1::ListModelsResponse> Client::ListModels(const v1::ListModelsRequest& request) {
  return impl_->Call(*impl_->model, &v1::ModelService::Stub::ListModels, request);
}

absl::StatusOr<v1::Model> Client::CreateModel(const v1::CreateModelRequest& request) {
  return impl_->Call(*impl_->model, &v1::ModelService::Stub::CreateModel, request,
                     impl_->options.retry.call_attempts, impl_->options.create_timeout);
}

absl::Status Client::DeleteModel(const v1::DeleteModelRequest& request) {
  return impl_
      ->Call(*impl_->model, &v1::ModelService::Stub::DeleteModel, request, /*attempts=*/1,
             impl_->options.call_timeout)
      .status();
}

absl::StatusOr<v1::GetModelResponse> Client::GetModel(const v1::GetModelRequest& request) {
  return impl_->Call(*impl_->model, &v1::ModelService::Stub::GetModel, request);
}

absl::StatusOr<v1::PlanResponse> Client::Plan(const v1::PlanRequest& request) {
  return impl_->Call(*impl_->planner, &v1::PlannerService::Stub::Plan, request);
}

absl::StatusOr<v1::ExplainResponse> Client::Explain(const v1::ExplainRequest& request) {
  return impl_->Call(*impl_->planner, &v1::PlannerService::Stub::Explain, request);
}

absl::StatusOr<v1::Job> Client::SubmitJob(const v1::SubmitJobRequest& request) {
  const int attempts = request.request_id().empty() ? 1 : impl_->options.retry.call_attempts;
  return impl_->Call(*impl_->job, &v1::JobService::Stub::SubmitJob, request, attempts,
                     impl_->options.call_timeout);
}

absl::StatusOr<v1::Job> Client::GetJob(const v1::GetJobRequest& request) {
  return impl_->Call(*impl_->job, &v1::JobService::Stub::GetJob, request);
}

absl::StatusOr<v1::JobMemory> Client::GetJobMemory(const v1::GetJobMemoryRequest& request) {
  return impl_->Call(*impl_->job, &v1::JobService::Stub::GetJobMemory, request);
}

absl::StatusOr<v1::ListJobsResponse> Client::ListJobs(const v1::ListJobsRequest& request) {
  return impl_->Call(*impl_->job, &v1::JobService::Stub::ListJobs, request);
}

absl::StatusOr<v1::Job> Client::CancelJob(const v1::CancelJobRequest& request) {
  return impl_->Call(*impl_->job, &v1::JobService::Stub::CancelJob, request);
}

absl::StatusOr<v1::QueryBlobResponse> Client::QueryBlob(const v1::QueryBlobRequest& request) {
  return impl_->Call(*impl_->dataset, &v1::DatasetService::Stub::QueryBlob, request);
}

absl::StatusOr<v1::Dataset> Client::CreateDataset(const v1::CreateDatasetRequest& request) {
  return impl_->Call(*impl_->dataset, &v1::DatasetService::Stub::CreateDataset, request,
                     impl_->options.retry.call_attempts, impl_->options.create_timeout);
}

absl::StatusOr<v1::ListDatasetsResponse> Client::ListDatasets(
    const v1::ListDatasetsRequest& request) {
  return impl_->Call(*impl_->dataset, &v1::DatasetService::Stub::ListDatasets, request);
}

absl::StatusOr<v1::Dataset> Client::GetDataset(const v1::GetDatasetRequest& request) {
  return impl_->Call(*impl_->dataset, &v1::DatasetService::Stub::GetDataset, request);
}

absl::Status Client::DeleteDataset(const v1::DeleteDatasetRequest& request) {
  return impl_
      ->Call(*impl_->dataset, &v1::DatasetService::Stub::DeleteDataset, request, /*attempts=*/1,
             impl_->options.call_timeout)
      .status();
}

absl::Status Client::WatchJob(const v1::WatchJobRequest& request, const std::stop_token& stop,
                              absl::FunctionRef<absl::Status(const v1::JobEvent&)> on_event) {
  grpc::ClientContext context;
  impl_->Prepare(context);
  const auto reader = impl_->job->WatchJob(&context, request);
  return ReadAll(*reader, context, impl_->options.address, stop, on_event);
}

absl::Status Client::GetLogs(const v1::GetLogsRequest& request, const std::stop_token& stop,
                             absl::FunctionRef<absl::Status(const v1::LogChunk&)> on_chunk) {
  grpc::ClientContext context;
  impl_->Prepare(context);
  const auto reader = impl_->job->GetLogs(&context, request);
  return ReadAll(*reader, context, impl_->options.address, stop, on_chunk);
}

absl::Status Client::FetchArtifact(
    const v1::FetchArtifactRequest& request, const std::stop_token& stop,
    absl::FunctionRef<absl::Status(const v1::ArtifactChunk&)> on_chunk) {
  grpc::ClientContext context;
  impl_->Prepare(context);
  const auto reader = impl_->job->FetchArtifact(&context, request);
  return ReadAll(*reader, context, impl_->options.address, stop, on_chunk);
}

absl::StatusOr<v1::UploadBlobResponse> Client::UploadBlob(
    const v1::UploadBlobHeader& header, const std::stop_token& stop,
    absl::FunctionRef<absl::StatusOr<std::optional<std::string>>()> next) {
  grpc::ClientContext context;
  impl_->Prepare(context);
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  v1::UploadBlobResponse response;
  const auto writer = impl_->dataset->UploadBlob(&context, &response);
  v1::UploadBlobRequest message;
  *message.mutable_header() = header;
  absl::Status local = absl::OkStatus();
  // A failed Write means that the server has ended the call; Finish says why.
  while (writer->Write(message)) {
    absl::StatusOr<std::optional<std::string>> chunk = next();
    if (!chunk.ok()) local = chunk.status();
    if (!chunk.ok() || !chunk->has_value()) break;
    message.set_chunk(**std::move(chunk));
  }
  if (!local.ok()) context.TryCancel();
  writer->WritesDone();
  const grpc::Status finished = writer->Finish();
  RETURN_IF_ERROR(local);
  if (stop.stop_requested()) return absl::CancelledError("stopped");
  RETURN_IF_ERROR(impl_->ToStatus(finished));
  return response;
}

}  // namespace mantissa::client
