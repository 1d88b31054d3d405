// client/cli/cmd_job.h
//
// `mantissa list`, `get`, `cancel`, `watch`, `logs`, `fetch`.

#ifndef MANTISSA_CLIENT_CLI_CMD_JOB_H_
#define MANTISSA_CLIENT_CLI_CMD_JOB_H_

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunList(Invocation& run);
absl::StatusOr<ExitCode> RunGet(Invocation& run);
absl::StatusOr<ExitCode> RunCancel(Invocation& run);
absl::StatusOr<ExitCode> RunWatch(Invocation& run);
absl::StatusOr<ExitCode> RunLogs(Invocation& run);
absl::StatusOr<ExitCode> RunFetch(Invocation& run);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_CMD_JOB_H_
