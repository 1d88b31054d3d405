// server/rpc/job_service.h
//
// mantissa.v1.JobService over server/jobs.
//
//   JobService service({.desk = desk, ...}, executor);
//   builder.RegisterService(&service);
#ifndef MANTISSA_SERVER_RPC_JOB_SERVICE_H_
#define MANTISSA_SERVER_RPC_JOB_SERVICE_H_

#include <string>

#include "base/file.h"
#include "mantissa/v1/job.grpc.pb.h"
#include "server/jobs/artifact_store.h"
#include "server/jobs/job_desk.h"
#include "server/jobs/notifier.h"
#include "server/rpc/executor.h"

namespace mantissa::rpc {

class JobService : public v1::JobService::CallbackService {
 public:
  struct Parts {
    jobs::JobDesk& desk;
    jobs::ArtifactStore& artifacts;
    jobs::Notifier& notifier;
    FileSystem& files;
    std::string data_dir;
  };
  JobService(Parts parts, Executor& executor) : parts_(std::move(parts)), executor_(executor) {}

  grpc::ServerUnaryReactor* SubmitJob(grpc::CallbackServerContext* context,
                                      const v1::SubmitJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request, v1::Job* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context,
                                      const v1::CancelJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* GetJobMemory(grpc::CallbackServerContext* context,
                                         const v1::GetJobMemoryRequest* request,
                                         v1::JobMemory* response) override;
  grpc::ServerWriteReactor<v1::JobEvent>* WatchJob(grpc::CallbackServerContext* context,
                                                   const v1::WatchJobRequest* request) override;
  grpc::ServerWriteReactor<v1::LogChunk>* GetLogs(grpc::CallbackServerContext* context,
                                                  const v1::GetLogsRequest* request) override;
  grpc::ServerWriteReactor<v1::ArtifactChunk>* FetchArtifact(
      grpc::CallbackServerContext* context, const v1::FetchArtifactRequest* request) override;

 private:
  absl::StatusOr<v1::ListJobsResponse> List(const v1::ListJobsRequest& request);

  const Parts parts_;
  Executor& executor_;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_JOB_SERVICE_H_
