// client/cli/cmd_server.h
//
// `mantissa server info`.

#ifndef MANTISSA_CLIENT_CLI_CMD_SERVER_H_
#define MANTISSA_CLIENT_CLI_CMD_SERVER_H_

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "client/cli/invocation.h"

namespace mantissa::cli {

absl::StatusOr<ExitCode> RunServerInfo(Invocation& run);

}  // namespace mantissa::cli

#endif  // MANTISSA_CLIENT_CLI_CMD_SERVER_H_
