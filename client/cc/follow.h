// client/cc/follow.h
//
// Follows a job's events and log through lost connections and restarts of the server.
//
//   FollowOptions options{.stop = stop_source.get_token()};
//   absl::Status status = FollowJob(client, "job-3f9a1c7e", options, [](const v1::JobEvent& event)
//   {
//     Show(event);  // each once, in order
//   });
//
// Blocks until the job has ended. Cancelled when `stop` is requested; NotFound if there is no such
// job; DataLoss if the server leaves an event out; Unavailable if it stays away for longer than the
// client's patience.

#ifndef MANTISSA_CLIENT_CC_FOLLOW_H_
#define MANTISSA_CLIENT_CC_FOLLOW_H_

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cc/client.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::client {

struct FollowOptions {
  // Events with a higher sequence number only. 0: all.
  int64_t after_sequence = 0;
  std::stop_token stop;
  // Told of each break before the next attempt; may be empty.
  std::function<void(const absl::Status&)> on_break;
};

// Whether a job in this state has ended.
bool IsEnded(v1::JobState state);

absl::Status FollowJob(Client& client, const std::string& id, const FollowOptions& options,
                       absl::FunctionRef<void(const v1::JobEvent&)> on_event);

struct LogOptions {
  // First byte.
  int64_t offset = 0;
  // Go on until the job ends; else up to what is there.
  bool follow = false;
  std::stop_token stop;
  std::function<void(const absl::Status&)> on_break;
};

absl::Status ReadLogs(Client& client, const std::string& id, const LogOptions& options,
                      absl::FunctionRef<void(absl::string_view)> on_bytes);

}  // namespace mantissa::client

#endif  // MANTISSA_CLIENT_CC_FOLLOW_H_
