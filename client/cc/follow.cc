#include "client/cc/follow.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "client/cc/errors.h"

namespace mantissa::client {
namespace {

// A break that the server did not tell of: the stream just ended.
absl::Status EndedEarly() {
  return AsFromCall(absl::UnavailableError("the server ended the stream before the job ended"));
}

// Whether the job has ended and all its events up to `sequence` are known.
absl::StatusOr<bool> IsOver(Client& client, const std::string& id, int64_t sequence) {
  v1::GetJobRequest request;
  request.set_id(id);
  ASSIGN_OR_RETURN(v1::Job job, client.GetJob(request));
  return IsEnded(job.state()) && job.last_sequence() <= sequence;
}

// One stream of events, from the last one seen on.
class EventStream {
 public:
  EventStream(Client& client, const std::string& id, const FollowOptions& options,
              absl::FunctionRef<void(const v1::JobEvent&)> on_event)
      : client_(client), options_(options), on_event_(on_event) {
    request_.set_id(id);
    request_.set_after_sequence(options.after_sequence);
  }

  absl::Status Run(bool* progressed) {
    RETURN_IF_ERROR(client_.WatchJob(request_, options_.stop, [&](const v1::JobEvent& event) {
      *progressed = true;
      return Take(event);
    }));
    if (ended_) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool over, IsOver(client_, request_.id(), request_.after_sequence()));
    return over ? absl::OkStatus() : EndedEarly();
  }

 private:
  absl::Status Take(const v1::JobEvent& event) {
    const int64_t expected = request_.after_sequence() + 1;
    if (event.sequence() < expected) return absl::OkStatus();  // seen before the break
    if (event.sequence() > expected) {
      return absl::DataLossError(absl::StrCat("the server left out the events ", expected, " to ",
                                              event.sequence() - 1, " of ", request_.id()));
    }
    request_.set_after_sequence(event.sequence());
    ended_ = event.has_state_changed() && IsEnded(event.state_changed().to());
    on_event_(event);
    return absl::OkStatus();
  }

  Client& client_;
  const FollowOptions& options_;
  const absl::FunctionRef<void(const v1::JobEvent&)> on_event_;
  v1::WatchJobRequest request_;
  bool ended_ = false;
};

}  // namespace

bool IsEnded(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED ||
         state == v1::JOB_STATE_CANCELLED;
}

absl::Status FollowJob(Client& client, const std::string& id, const FollowOptions& options,
                       absl::FunctionRef<void(const v1::JobEvent&)> on_event) {
  EventStream stream(client, id, options, on_event);
  return Resume(client.options().retry, client.clock(), options.stop, options.on_break,
                [&](bool* progressed) { return stream.Run(progressed); });
}

absl::Status ReadLogs(Client& client, const std::string& id, const LogOptions& options,
                      absl::FunctionRef<void(absl::string_view)> on_bytes) {
  v1::GetLogsRequest request;
  request.set_id(id);
  request.set_offset(options.offset);
  request.set_follow(options.follow);
  const auto take = [&](const v1::LogChunk& chunk) {
    const int64_t start = chunk.next_offset() - static_cast<int64_t>(chunk.data().size());
    if (start != request.offset()) {
      return absl::DataLossError(
          absl::StrCat("the log goes on at byte ", start, ", expected byte ", request.offset()));
    }
    on_bytes(chunk.data());
    request.set_offset(chunk.next_offset());
    return absl::OkStatus();
  };
  return Resume(client.options().retry, client.clock(), options.stop, options.on_break,
                [&](bool* progressed) {
                  return client.GetLogs(request, options.stop, [&](const v1::LogChunk& chunk) {
                    *progressed = true;
                    return take(chunk);
                  });
                });
}

}  // namespace mantissa::client
