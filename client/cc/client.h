// client/cc/client.h
//
// A connection to a Mantissa server: its calls, one method each.
//
//   ASSIGN_OR_RETURN(auto client, Client::Connect({.address = "127.0.0.1:7070"}));
//   v1::GetJobRequest request;
//   request.set_id("job-3f9a1c7e");
//   ASSIGN_OR_RETURN(v1::Job job, client->GetJob(request));
//
// Calls that are safe to repeat are, a few times, while the server is UNAVAILABLE. Streams are
// given as they are: once, up to their end or their break; follow.h and transfer.h take them up
// again. Errors carry what the server said: errors.h.
//
// Thread-safe. Blocks.

#ifndef MANTISSA_CLIENT_CC_CLIENT_H_
#define MANTISSA_CLIENT_CC_CLIENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "client/cc/retry.h"
#include "mantissa/v1/dataset.pb.h"
#include "mantissa/v1/job.pb.h"
#include "mantissa/v1/model.pb.h"
#include "mantissa/v1/planner.pb.h"
#include "mantissa/v1/server.pb.h"

namespace mantissa::client {

struct ConnectOptions {
  // HOST:PORT, or unix:PATH.
  std::string address = "127.0.0.1:7070";
  // Bearer token; empty: none. Sent unencrypted to this machine only.
  std::string token;
  // Certificates in PEM that the server's must come from. Empty: no encryption.
  std::string tls_roots;
  // Most time for a call that is no stream.
  absl::Duration call_timeout = absl::Seconds(30);
  // The same for CreateDataset and CreateModel, during which a worker reads all of it.
  absl::Duration create_timeout = absl::Minutes(15);
  RetryOptions retry;
  // Ends calls at once when requested: they return CANCELLED.
  std::stop_token stop;
  // Tests move it.
  Clock* clock = nullptr;
};

class Client {
 public:
  // Does not wait for the server. InvalidArgument if the address cannot be one, FailedPrecondition
  // if the token would travel unencrypted to another machine.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const ConnectOptions& options);
  ~Client();

  const ConnectOptions& options() const;
  Clock& clock() const;

  absl::StatusOr<v1::ServerInfo> GetServerInfo();
  absl::StatusOr<v1::ListModelsResponse> ListModels(const v1::ListModelsRequest& request);
  absl::StatusOr<v1::GetModelResponse> GetModel(const v1::GetModelRequest& request);
  absl::StatusOr<v1::Model> CreateModel(const v1::CreateModelRequest& request);
  // Never repeated: the second time there is nothing to delete.
  absl::Status DeleteModel(const v1::DeleteModelRequest& request);
  absl::StatusOr<v1::PlanResponse> Plan(const v1::PlanRequest& request);
  absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request);

  // Repeated only if it has a request_id, which makes that safe.
  absl::StatusOr<v1::Job> SubmitJob(const v1::SubmitJobRequest& request);
  absl::StatusOr<v1::Job> GetJob(const v1::GetJobRequest& request);
  absl::StatusOr<v1::JobMemory> GetJobMemory(const v1::GetJobMemoryRequest& request);
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request);
  absl::StatusOr<v1::Job> CancelJob(const v1::CancelJobRequest& request);

  absl::StatusOr<v1::QueryBlobResponse> QueryBlob(const v1::QueryBlobRequest& request);
  absl::StatusOr<v1::Dataset> CreateDataset(const v1::CreateDatasetRequest& request);
  absl::StatusOr<v1::ListDatasetsResponse> ListDatasets(const v1::ListDatasetsRequest& request);
  absl::StatusOr<v1::Dataset> GetDataset(const v1::GetDatasetRequest& request);
  // Never repeated: the second time there is nothing to delete.
  absl::Status DeleteDataset(const v1::DeleteDatasetRequest& request);

  // Streams call back for each message until the end, an error of the callback, or `stop`.
  absl::Status WatchJob(const v1::WatchJobRequest& request, const std::stop_token& stop,
                        absl::FunctionRef<absl::Status(const v1::JobEvent&)> on_event);
  absl::Status GetLogs(const v1::GetLogsRequest& request, const std::stop_token& stop,
                       absl::FunctionRef<absl::Status(const v1::LogChunk&)> on_chunk);
  absl::Status FetchArtifact(const v1::FetchArtifactRequest& request, const std::stop_token& stop,
                             absl::FunctionRef<absl::Status(const v1::ArtifactChunk&)> on_chunk);

  // Sends the header, then what `next` gives until nullopt: at most 2 MiB each.
  absl::StatusOr<v1::UploadBlobResponse> UploadBlob(
      const v1::UploadBlobHeader& header, const std::stop_token& stop,
      absl::FunctionRef<absl::StatusOr<std::optional<std::string>>()> next);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_CLIENT_H_
