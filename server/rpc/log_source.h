// server/rpc/log_source.h
//
// A job's log for GetLogs: what is in the file, and what comes while the job runs.
//
//   auto source = std::make_unique<LogSource>(parts, request);
#ifndef MANTISSA_SERVER_RPC_LOG_SOURCE_H_
#define MANTISSA_SERVER_RPC_LOG_SOURCE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "base/file.h"
#include "mantissa/v1/job.pb.h"
#include "server/jobs/job_desk.h"
#include "server/jobs/notifier.h"
#include "server/rpc/pull_stream.h"

namespace mantissa::rpc {

class LogSource : public PullSource<v1::LogChunk> {
 public:
  LogSource(jobs::JobDesk& desk, jobs::Notifier& notifier, FileSystem& files, std::string path,
            const v1::GetLogsRequest& request)
      : desk_(desk),
        notifier_(notifier),
        files_(files),
        path_(std::move(path)),
        id_(request.id()),
        follow_(request.follow()),
        offset_(request.offset()) {}

  absl::StatusOr<Pulled<v1::LogChunk>> Pull() override;
  void Open(std::function<void()> wake) override;
  void Close() override;

 private:
  // The bytes that are there; none at the end of the file or before there is one.
  absl::StatusOr<std::string> Read();

  jobs::JobDesk& desk_;
  jobs::Notifier& notifier_;
  FileSystem& files_;
  const std::string path_, id_;
  const bool follow_;
  int64_t offset_;
  jobs::Notifier::Id subscription_ = 0;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_LOG_SOURCE_H_
