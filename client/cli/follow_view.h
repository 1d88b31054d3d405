// client/cli/follow_view.h
//
// Follows a job to its end and shows it: live on a terminal, else a line for each thing that
// happens, or a line of JSON an event.
//
//   return FollowToEnd(run, *client, job, {.after_sequence = 0, .show = Show::kPeople});

#ifndef MANTISSA_CLIENT_CLI_FOLLOW_VIEW_H_
#define MANTISSA_CLIENT_CLI_FOLLOW_VIEW_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "client/cc/client.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"
#include "mantissa/v1/job.pb.h"

namespace mantissa::cli {

enum class Show {
  kPeople,      // live on a terminal, else lines
  kJsonEvents,  // each event as a line of JSON on standard output
  kJsonResult,  // lines on standard error, at the end the job as JSON on standard output
};

struct FollowChoice {
  int64_t after_sequence = 0;
  Show show = Show::kPeople;
};

// The code that the job's end means. Ctrl-C leaves the job running, says how to come back, and
// gives kDetached.
absl::StatusOr<ExitCode> FollowToEnd(Invocation& run, client::Client& client, const v1::Job& job,
                                     const FollowChoice& choice);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_FOLLOW_VIEW_H_
