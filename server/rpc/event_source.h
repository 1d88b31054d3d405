// server/rpc/event_source.h
//
// The events of a job for WatchJob: those of the store, then those to come.
//
//   auto source = std::make_unique<EventSource>(desk, notifier, "job-1", /*after_sequence=*/0);
#ifndef MANTISSA_SERVER_RPC_EVENT_SOURCE_H_
#define MANTISSA_SERVER_RPC_EVENT_SOURCE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "mantissa/v1/job.pb.h"
#include "server/jobs/job_desk.h"
#include "server/jobs/notifier.h"
#include "server/rpc/pull_stream.h"

namespace mantissa::rpc {

class EventSource : public PullSource<v1::JobEvent> {
 public:
  EventSource(jobs::JobDesk& desk, jobs::Notifier& notifier, std::string id, int64_t after)
      : desk_(desk), notifier_(notifier), id_(std::move(id)), last_(after) {}

  absl::StatusOr<Pulled<v1::JobEvent>> Pull() override;
  void Open(std::function<void()> wake) override;
  void Close() override;

 private:
  jobs::JobDesk& desk_;
  jobs::Notifier& notifier_;
  const std::string id_;
  int64_t last_;
  jobs::Notifier::Id subscription_ = 0;
};

}  // namespace mantissa::rpc

#endif  // MANTISSA_SERVER_RPC_EVENT_SOURCE_H_
