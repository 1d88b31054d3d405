// client/cli/cmd_submit.h
//
// `mantissa submit`.

#ifndef MANTISSA_CLIENT_CLI_CMD_SUBMIT_H_
#define MANTISSA_CLIENT_CLI_CMD_SUBMIT_H_

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunSubmit(Invocation& run);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_CMD_SUBMIT_H_
